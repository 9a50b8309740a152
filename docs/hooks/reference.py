"""Writes the reference pages from the code while the documentation is built, so that they cannot fall behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from training.cli import app
from training.config import RunConfig

sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads each hook alone.

from licences import licences

DECISIONS = Path(__file__).parents[1] / "decisions"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        "reference/commands.md": commands(),
        "reference/settings.md": settings(),
        "reference/events.md": events(),
        "decisions/index.md": decisions(),
        "reference/licences.md": licences(),
    }
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def commands() -> str:
    """Every command of ``semimedref`` with its arguments and options."""
    lines = [
        "# Commands",
        "",
        "Two programs: `napari-semimedref [PROJECT]` is the window, `semimedref` is all the rest.",
        "",
    ]
    for path, command in _leaves(typer.main.get_command(app), "semimedref"):
        lines += [f"## {path}", "", (command.help or "").replace("\n\n", "\n").strip(), ""]
        lines += ["| | | default |", "|---|---|---|"]
        lines += [_parameter(each) for each in command.params if each.name != "help"] + [""]
    return "\n".join(lines)


def _leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in sorted(inner.items()):
        yield from _leaves(each, f"{path} {name}")


def _parameter(parameter: click.Parameter) -> str:
    named = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if named else (parameter.name or "").upper()
    default = parameter.default
    shown = "" if default is None or default is False or callable(default) else f"`{default}`"
    text = str(getattr(parameter, "help", "") or "")
    needed = "required" if parameter.required else shown
    return f"| `{name}` | {_cell(text)} | {needed} |"


def settings() -> str:
    """Every setting of a run with its bounds and its default."""
    lines = [
        "# Settings",
        "",
        "Of a round, in a TOML or JSON file (`semimedref round PROJECT --config FILE`) or in the window under "
        "*Trainer › Settings*. Each table is a section of the file.",
        "",
    ]
    top = {name: each for name, each in RunConfig.model_fields.items() if not _is_model(each)}
    lines += ["## At the top", "", *_table(top)]
    for name, each in RunConfig.model_fields.items():
        if _is_model(each):
            kind: Any = each.annotation
            told = (kind.__doc__ or "").strip().splitlines()[0]
            lines += [f"## [{name}]", "", told, "", *_table(kind.model_fields)]
    return "\n".join(lines)


def _is_model(info: FieldInfo) -> bool:
    return isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)


def _table(fields: dict[str, FieldInfo]) -> list[str]:
    rows = ["| setting | meaning | bounds | default |", "|---|---|---|---|"]
    for name, info in fields.items():
        default = info.get_default(call_default_factory=True)
        rows.append(
            f"| `{name}` | {_cell(info.description or '')} | {_bounds(info)} | `{_cell(str(default))}` |"
        )
    return [*rows, ""]


def _bounds(info: FieldInfo) -> str:
    words = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {value:,}"
        for each in info.metadata
        for key, sign in words.items()
        if (value := getattr(each, key, None)) is not None
    ]
    choices = getattr(info.annotation, "__args__", ())
    if not found and choices and all(isinstance(each, str) for each in choices):
        return ", ".join(f"`{each}`" for each in choices)
    return ", ".join(found)


def events() -> str:
    """What a trainer says, taken from the page on architecture, where it is kept."""
    text = (DECISIONS.parent / "architecture.md").read_text(encoding="utf-8")
    begin = text.index("**Events**")
    rest = text[begin:]
    return (
        "# Events\n\nWhat a trainer writes into its run folder, for whoever follows a round.\n\n"
        + rest[: rest.index("**Engine service**")]
    )


def decisions() -> str:
    """The decisions by number."""
    lines = [
        "# Decisions",
        "",
        "What was decided about the design, what else was considered, and why.",
        "",
    ]
    for path in sorted(DECISIONS.glob("0*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
