"""File names as tables and people write them, brought to one form. No files are opened here."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from training.errors import FormatError

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
_ENDINGS = re.compile(r"\.(png|jpe?g|tiff?|bmp|dcm|nii\.gz|nii)$", re.IGNORECASE)
_IMAGE_BEFORE = re.compile(r"^(image|img)[_\- ]+", re.IGNORECASE)
_CHANNEL = re.compile(r"_0000(?=\.nii)", re.IGNORECASE)  # the channel number of nnU-Net's images
_MASK_BEFORE = re.compile(r"^(mask|label|seg|gt)[_\- ]+", re.IGNORECASE)
_MASK_AFTER = re.compile(r"[_\- ]+(mask|masks|label|seg|segmentation|gt)$", re.IGNORECASE)


def plain_stem(name: str) -> str:
    """The file name without folders, of either kind of slash, and without a picture's ending."""
    return _ENDINGS.sub("", name.replace("\\", "/").rsplit("/", 1)[-1].strip())


def key_of(name: str) -> str:
    """The form under which an image, its mask and its table row meet: bare, without mask marks, lower case."""
    stem = plain_stem(_CHANNEL.sub("", name))
    bare = _MASK_AFTER.sub("", _MASK_BEFORE.sub("", _IMAGE_BEFORE.sub("", stem)))
    return (bare or stem).casefold()


def says_mask(name: str) -> bool:
    """Whether a file's name marks it as a mask, as in ``mask_7.png`` or ``7_seg.png``."""
    stem = plain_stem(name)
    return bool(_MASK_BEFORE.search(stem) or _MASK_AFTER.search(stem))


def checked_name(name: str, table: Path) -> str:
    """A file name from a table, made harmless.

    Returns
    -------
    str
        Relative, with forward slashes.

    Raises
    ------
    FormatError
        It climbs out of its folder, is absolute in a way that leads out, or holds a zero byte.
    """
    text = name.strip().replace("\\", "/")
    parts = PurePosixPath(text).parts
    if ".." in parts or "\0" in text:
        raise FormatError(
            f"{table} names the file {name!r}, which leads out of its folder: correct the table."
        )
    return text
