"""The page of licences: every package that a whole installation brings along, read from what is installed."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "napari-semimedref"
EXTRAS = ("all",)


def licences() -> str:
    """The table as Markdown: package, version, licence; the project itself is not listed."""
    lines = [
        "# Licences",
        "",
        f"What `pip install {PROJECT}[{','.join(EXTRAS)}]` brings along, as each package states it. The project itself "
        "is under BSD-3-Clause. Written when this page was built, from what was installed then.",
        "",
        "PyQt6 is under the GPL: whoever hands on a program with Qt inside and wants other terms "
        "installs PySide6 (LGPL) in its place; the window works with both.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
    ]
    found = needed(PROJECT, EXTRAS)
    rows = sorted((name, each) for name, each in found.items() if name != PROJECT)
    lines += [f"| {name} | {each.version} | {licence_of(each)} |" for name, each in rows]
    return "\n".join(lines) + "\n"


def needed(name: str, extras: tuple[str, ...] = ()) -> dict[str, Distribution]:
    """All installed packages that a package needs, itself included, by canonical name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), extra) for extra in ("", *extras)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            found[one[0]] = distribution(one[0])
        except PackageNotFoundError:
            continue  # Not for this system, or an extra that is not installed.
        for line in found[one[0]].requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": one[1]}):
                key = canonicalize_name(requirement.name)
                waiting += [(key, extra) for extra in ("", *requirement.extras)]
    return found


def licence_of(package: Distribution) -> str:
    """The licence in a few words: the expression, else the classifiers, else the first line of the field."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return _cell(expression)
    classifiers = metadata.get_all("Classifier") or []
    named = [each.split(" :: ")[-1] for each in classifiers if each.startswith("License :: ")]
    if named and named != ["OSI Approved"]:
        return _cell(", ".join(named))
    stated = (metadata.get("License") or "").strip().splitlines()
    return _cell(stated[0]) if stated else "not stated; see the package's files"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("|", "\\|"))
