"""The documentation: it builds without a warning, and what it tells people to type works."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from training.cli import app
from training.config import RunConfig

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md"), ROOT / "README.md"]
)
BLOCK = re.compile(r"^```(sh|console|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM = "semimedref"


def blocks(page: Path, kind: str) -> list[str]:
    return [body for found, body in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def named(pages: list[Path]) -> list:
    return [pytest.param(page, id=page.stem) for page in pages]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": here, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=250
    )


def test_the_documentation_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    done = run(command, ROOT)
    assert done.returncode == 0, done.stderr
    for page in ("tutorial", "reference/commands", "reference/settings", "decisions"):
        assert (tmp_path / "site" / page / "index.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("page", named([page for page in PAGES if blocks(page, "sh")]))
def test_the_commands_of_a_page_work_one_after_the_other(page, tmp_path):
    for line in filter(str.strip, "\n".join(blocks(page, "sh")).splitlines()):
        done = run(shlex.split(line, comments=True), tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    "page", named([page for page in PAGES if PROGRAM in page.read_text("utf-8")])
)
def test_every_command_that_a_page_names_is_there_with_its_options(page, tmp_path):
    for words in commands_in(page.read_text("utf-8")):
        path = [word for word in words[1:] if not word.startswith("-")]
        told = help_of(path)
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert option in told, f"{page.name}: {shlex.join(words)} has no {option}"


def test_the_settings_that_pages_show_are_settings():
    shown = [body for page in PAGES for body in blocks(page, "toml")]
    assert shown
    for content in shown:
        RunConfig.parse(tomllib.loads(content))


def test_every_promise_names_a_test_that_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "promises.md").read_text("utf-8")))
    defined = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in defined.findall(path.read_text("utf-8"))
    }
    assert named
    assert named <= there, named - there


def commands_in(text: str) -> list[list[str]]:
    """Command lines of the page, as words, up to the first sign that is no plain word."""
    found = []
    for line in re.findall(
        rf"(?:^\s*(?:\$ )?|`|exec ){PROGRAM} ([a-z].*?)(?:$|`|#|\"|  )", text, re.MULTILINE
    ):
        found.append([PROGRAM, *line.split()])
    return found


def help_of(words: list[str]) -> set[str]:
    """The options of the command that these words begin with; of all its commands, where one is left open."""
    command: Any = typer.main.get_command(app)
    for word in words:
        inner = getattr(command, "commands", None)
        if inner is None:
            break
        if word.startswith("{") or word == "FORMAT":
            return set().union(*(options_of(each) for each in inner.values()))
        assert word in inner, f"there is no command {word!r} among {', '.join(inner)}"
        command = inner[word]
    return options_of(command)


def options_of(command: Any) -> set[str]:
    found = {"--help"}
    for parameter in command.params:
        found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_the_architectures_pictures_are_those_of_the_contracts():
    space = runpy.run_path(str(ROOT / "docs" / "hooks" / "pictures.py"), run_name="pictures")
    for name, content in space["drawn"]().items():
        kept = (ROOT / "docs" / "images" / name).read_text("utf-8")
        assert kept == content, "run python docs/hooks/pictures.py"
