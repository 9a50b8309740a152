"""What a ``.safetensors`` file claims to hold, checked without loading it: names, types, shapes, places. No torch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from training.errors import EngineError
from training.files import sentence_for

LONGEST_HEADER = 16 * 2**20
WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1}
WIDTH["BOOL"] = 1


def read_header(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names of the tensors of a file with their types and shapes.

    Raises
    ------
    EngineError
        It is no safetensors file, or what it claims does not fit its length.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(LONGEST_HEADER, size - 8):
                raise ValueError("it has no header")
            claimed = json.loads(stream.read(length))
    except OSError as error:
        raise EngineError(sentence_for(error, path)) from error
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path.name} holds no weights: {error}.") from error
    try:
        return _checked(claimed, size - 8 - length)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EngineError(f"{path.name} holds damaged weights: {error}.") from error


def _checked(claimed: dict[str, Any], room: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    claimed.pop("__metadata__", None)
    tensors, places = {}, []
    for name, about in claimed.items():
        kind, shape = about["dtype"], tuple(about["shape"])
        start, end = about["data_offsets"]
        if any(type(n) is not int or n < 0 for n in (*shape, start, end)):
            raise ValueError(f"{name} has an impossible shape or place")
        if end - start != math.prod(shape) * WIDTH[kind]:
            raise ValueError(f"{name} is not as long as its shape says")
        tensors[name] = (kind, shape)
        places.append((start, end))
    at = 0
    for start, end in sorted(places):
        if start != at:
            raise ValueError("its tensors overlap, or leave gaps")
        at = end
    if not tensors or at != room:
        raise ValueError("it is longer or shorter than its tensors")
    return tensors
