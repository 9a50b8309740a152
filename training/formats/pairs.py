"""Images and masks found in a folder and brought together by their names. Only names are looked at, no pixels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.errors import FormatError
from training.formats.findings import Trouble
from training.formats.names import PICTURES, key_of, plain_stem, says_mask
from training.pool.records import AskedSplit

MASK_FOLDER = re.compile(
    r"^(masks?|labels?|labelcol|labels?tr|gt|ground[_\- ]?truths?|seg(mentation)?s?|annotations?)$",
    re.IGNORECASE,
)
IMAGE_FOLDER = re.compile(r"^(images?|imgs?|frames?|films?|imagestr)$", re.IGNORECASE)
_SPLITS: tuple[tuple[re.Pattern[str], AskedSplit], ...] = (
    (re.compile(r"^train(ing)?([_\- ].*)?$", re.IGNORECASE), "training"),
    (re.compile(r"^val(id|idation)?([_\- ].*)?$", re.IGNORECASE), "gate"),
    (re.compile(r"^test(ing)?([_\- ].*)?$", re.IGNORECASE), "report"),
)

_Key = tuple[AskedSplit | None, str, str]  # split, folders, bare name


@dataclass(frozen=True)
class Pair:
    """An image file, its mask file if there is one, and what their place in the folder says.

    Attributes
    ----------
    relative : str
        The image's path below the source, with forward slashes.
    name : str
        What it is called in a project: folders other than those for splits, images and masks are part of it.
    split : str or None
        "training", "gate" (validation), "report" (test), or None where no folder says so.
    """

    image: Path
    mask: Path | None
    relative: str
    name: str
    split: AskedSplit | None


def files_below(source: Path, suffixes: frozenset[str]) -> list[str]:
    """Relative paths, sorted, of the files with one of these endings; hidden ones and links out are left out."""
    found = []
    root = os.path.realpath(source)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(".") or not name.lower().endswith(tuple(suffixes)):
                continue
            if os.path.realpath(path).startswith(root + os.sep):
                found.append(os.path.relpath(path, root).replace(os.sep, "/"))
    return sorted(found, key=_natural)


def find_pairs(source: Path, suffixes: frozenset[str] = PICTURES) -> Iterator[Pair | Trouble]:
    """Find the images below a folder, each with its mask.

    Masks are known by their folder (``masks``, ``labelcol``, ``label`` ...) or their name (``mask_7``, ``7_seg``).

    Raises
    ------
    FormatError
        There is no such folder.
    """
    if not source.is_dir():
        raise FormatError(f"There is no folder {source}: check its name.")
    images: dict[_Key, list[str]] = {}
    masks: dict[_Key, list[str]] = {}
    for relative in files_below(source, suffixes):
        key = (split_of(relative), _neutral(relative), key_of(relative))
        (masks if is_mask(relative) else images).setdefault(key, []).append(relative)
    for key, found in images.items():
        own = masks.pop(key, [])
        if len(found) > 1 or len(own) > 1:
            names = " and ".join((found if len(found) > 1 else own)[:3])
            yield Trouble(found[0], f"{names} have the same name: rename or remove one.")
        else:
            yield _pair(source, found[0], own[0] if own else None, key)
    for mask in (name for names in masks.values() for name in names):
        yield Trouble(mask, f"{mask} is a mask without an image: add the image or remove the mask.")


def _pair(source: Path, relative: str, mask: str | None, key: _Key) -> Pair:
    folder = key[1].replace("/", "_")
    return Pair(
        image=source / relative,
        mask=None if mask is None else source / mask,
        relative=relative,
        name="_".join(part for part in (folder, plain_stem(relative)) if part),
        split=key[0],
    )


def is_mask(relative: str) -> bool:
    """Whether a file's name, or the nearest folder that says anything, marks it as a mask."""
    for part in reversed(relative.split("/")[:-1]):
        if MASK_FOLDER.match(part):
            return True
        if IMAGE_FOLDER.match(part):
            return False
    return says_mask(relative)


def split_of(relative: str) -> AskedSplit | None:
    """The split that a file's folders name, if any does."""
    for part in relative.split("/")[:-1]:
        for pattern, split in _SPLITS:
            if pattern.match(part):
                return split
    return None


def _neutral(relative: str) -> str:
    """The folders that tell cases apart: not those for images, masks or splits."""
    kept = [
        part
        for part in relative.split("/")[:-1]
        if not (MASK_FOLDER.match(part) or IMAGE_FOLDER.match(part))
        and not any(pattern.match(part) for pattern, _ in _SPLITS)
    ]
    return "/".join(kept)


def _natural(text: str) -> list[tuple[int, int | str]]:
    return [
        (0, int(part)) if part.isdigit() else (1, part)
        for part in re.split(r"([0-9]+)", text.casefold())
    ]
