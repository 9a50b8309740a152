"""Which public definitions lack a full docstring: none at all, no word of what they raise, or no shape of their arrays.

Public is what has no leading underscore on the way to it and stands in no function. Exempt are commands (their
docstring is the help that a user reads), setters of properties, and errors that only a mistake in the program raises.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from source.reading import Definition, Function, Module

INTERNAL = frozenset({"AssertionError", "NotImplementedError"})
BASE = "SemiMedRefError"  # named in a docstring, it stands for all errors whose sentence is meant for a person
ARRAYS = frozenset({"NDArray", "Tensor", "ndarray"})
RAISES = re.compile(
    r"^\s*Raises\n\s*------\n(.*?)(?=\n\s*\w+\n\s*---|\Z)", re.MULTILINE | re.DOTALL
)
# What stands between round brackets and commas is a shape if every part reads like a size, and one surely is one.
BRACKETS = re.compile(r"\(((?:[^(),]|\(\w*\))+(?:,(?:[^(),]|\(\w*\))+)*,?)\)")
SIZE = r"(?:\.\.\.|\d+|len\(\w+\)|\d*[A-Za-z]\w*(?:\[\d\])?)"
DIMENSION = re.compile(rf"{SIZE}(?:(?: ?[-+*/] ?| or | to ){SIZE})*")
SURE = re.compile(r"\.\.\.|\d|len\(|(?:[A-Za-z]|height|size|count|slices)\b")
SAID = re.compile(r"\b(?:shape|shapes|scalar)\b")


@dataclass(frozen=True)
class Offender:
    """A definition whose docstring is not full, with what it lacks."""

    place: str
    name: str
    lacks: str

    def __str__(self) -> str:
        return f"{self.place} {self.name}: {self.lacks}"


def offenders(modules: list[Module]) -> list[Offender]:
    """Every public definition of the modules without a full docstring, in the order of the source.

    Parameters
    ----------
    modules : list of Module
        The whole code base: what is called an array somewhere, or made a command, is looked up in all of it.
    """
    arrays, commands = array_names(modules), command_names(modules)
    return [found for module in modules for found in _in_module(module, arrays, commands)]


def array_names(modules: list[Module]) -> frozenset[str]:
    """Names that mean arrays in annotations: `ARRAYS` and what modules name so (``Mask = NDArray[np.uint8]``)."""
    known = set(ARRAYS)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = node.value
                if isinstance(value, ast.Subscript) and _last(value.value) in ARRAYS:
                    known.add(node.targets[0].id)
    return frozenset(known)


def command_names(modules: list[Module]) -> frozenset[tuple[str, str]]:
    """Folder and name of the functions that are handed to ``app.command(...)``."""
    found = set()
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _is_command(node.func):
                found |= {
                    (module.package, each.id) for each in node.args if isinstance(each, ast.Name)
                }
    return frozenset(found)


def _in_module(
    module: Module, arrays: frozenset[str], commands: frozenset[tuple[str, str]]
) -> Iterator[Offender]:
    if not ast.get_docstring(module.tree):
        yield Offender(module.path, "module", "docstring")
    for node, name in module.public_classes():
        if not ast.get_docstring(node):
            yield Offender(f"{module.path}:{node.lineno}", f"class {name}", "docstring")
    for function in module.functions:
        if function.public and not _exempt(function, module, commands):
            place = f"{module.path}:{function.node.lineno}"
            for lacks in lacking(function.node, arrays):
                yield Offender(place, function.name, lacks)


def lacking(node: Definition, arrays: frozenset[str]) -> list[str]:
    """What a function's docstring lacks, in words; nothing if it is full."""
    text = ast.get_docstring(node)
    if not text:
        return ["docstring"]
    section = RAISES.search(text)
    told = "" if section is None else section[1]
    untold = [] if BASE in told else sorted(error for error in raised(node) if error not in told)
    lacks = [f"Raises: {', '.join(untold)}"] if untold else []
    if _takes_or_gives(node, arrays) and not gives_shape(text):
        lacks.append("shape")
    return lacks


def gives_shape(text: str) -> bool:
    """Whether a docstring gives a shape, ``(H, W)`` or ``(n,)``, or speaks of one."""
    if SAID.search(text):
        return True
    for found in BRACKETS.finditer(text):
        sizes = [part.strip() for part in found[1].rstrip(",").split(",")]
        if "," in found[1] and all(map(DIMENSION.fullmatch, sizes)) and any(map(SURE.match, sizes)):
            return True
    return False


def raised(node: Definition) -> frozenset[str]:
    """Names of the errors that a function's own body raises; a bare ``raise`` hands on what others raised."""
    found = (name for statement in node.body for name in _raised_in(statement))
    return frozenset(name for name in found if name[:1].isupper()) - INTERNAL


def _raised_in(node: ast.AST) -> Iterator[str]:
    """Names of errors that leave a statement; not those that a ``try`` around them takes up by the same name."""
    if isinstance(node, Definition | ast.Lambda):
        return
    if isinstance(node, ast.Raise) and node.exc is not None:
        yield _last(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
    for child in ast.iter_child_nodes(node):
        inside = _raised_in(child)
        if isinstance(node, ast.Try) and child in node.body:
            inside = (name for name in inside if name not in _caught(node))
        yield from inside


def _caught(node: ast.Try) -> frozenset[str]:
    kinds = [each.type for each in node.handlers if each.type is not None]
    return frozenset(
        _last(part) for kind in kinds for part in ast.walk(kind) if isinstance(part, ast.expr)
    )


def _takes_or_gives(node: Definition, arrays: frozenset[str]) -> bool:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    notes = [*(each.annotation for each in every), node.returns]
    return any(
        _last(part) in arrays
        for note in notes
        if note is not None
        for part in ast.walk(note)
        if isinstance(part, ast.Name | ast.Attribute)
    )


def _exempt(function: Function, module: Module, commands: frozenset[tuple[str, str]]) -> bool:
    marks = function.node.decorator_list
    setter = any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in marks)
    command = any(_is_command(mark) for mark in marks)
    return setter or command or (module.package, function.name) in commands


def _is_command(node: ast.expr) -> bool:
    """Whether this is ``app.command(...)`` or ``app.callback(...)``."""
    return isinstance(node, ast.Call) and _last(node.func) in ("command", "callback")


def _last(node: ast.expr) -> str:
    """The last name of ``np.ndarray`` or ``ndarray``; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
