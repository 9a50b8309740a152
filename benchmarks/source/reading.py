"""A Python file as what can be counted: its functions, classes, lines and annotations. It is parsed, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function or method with its name (``Class.method``) and whether it can be reached without an underscore."""

    node: Definition
    name: str
    public: bool

    @property
    def lines(self) -> int:
        """From ``def`` to the last line."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def arguments(self) -> list[ast.arg]:
        """All arguments but ``self`` and ``cls``."""
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        return [each for each in every if each is not None and each.arg not in ("self", "cls")]


@dataclass(frozen=True)
class Module:
    """One file: its path from the repository's root, and its text."""

    path: str
    text: str

    @property
    def package(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n")

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> list[Function]:
        """Every function and method, nested ones too (which are not public)."""
        return list(_functions(self.tree, "", True))

    def public_classes(self) -> Iterator[tuple[ast.ClassDef, str]]:
        """Classes without an underscore on the way to them."""
        return _classes(self.tree, "")


def _functions(node: ast.AST, prefix: str, public: bool) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            open_to_all = public and not child.name.startswith("_")
            yield Function(child, prefix + child.name, open_to_all)
            yield from _functions(child, f"{prefix}{child.name}.", False)
        elif isinstance(child, ast.ClassDef):
            seen = public and not child.name.startswith("_")
            yield from _functions(child, f"{prefix}{child.name}.", seen)
        else:
            yield from _functions(child, prefix, public)


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[ast.ClassDef, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield child, prefix + child.name
            yield from _classes(child, f"{prefix}{child.name}.")
        elif not isinstance(child, Definition | ast.ClassDef):
            yield from _classes(child, prefix)


def read_modules(root: Path, folders: Iterable[str]) -> list[Module]:
    """The Python files of some folders of the repository, sorted by path.

    Parameters
    ----------
    root : Path
        The repository.
    folders : iterable of str
        Relative to it.
    """
    files = sorted(file for folder in folders for file in (root / folder).rglob("*.py"))
    return [Module(file.relative_to(root).as_posix(), file.read_text("utf-8")) for file in files]
