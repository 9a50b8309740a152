"""The child that decodes for `dicom_decoder`: DICOM files in on stdin, arrays out on stdout, each after its length."""

from __future__ import annotations

import io
import os
import sys

import numpy as np
import pydicom


def main() -> None:
    """Serve until stdin ends. A picture that cannot be decoded is answered by an empty array file."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the decoder prints must not get between the answers
    while head := sys.stdin.buffer.read(8):
        content = sys.stdin.buffer.read(int.from_bytes(head, "big"))
        answer = _decoded(content)
        answers.write(len(answer).to_bytes(8, "big") + answer)
        answers.flush()


def _decoded(content: bytes) -> bytes:
    try:
        dataset = pydicom.dcmread(io.BytesIO(content))
        dataset.pixel_array_options(decoding_plugin="gdcm")
        stream = io.BytesIO()
        np.save(stream, dataset.pixel_array, allow_pickle=False)
        return stream.getvalue()
    except Exception:  # the parent says what happened
        return b""


if __name__ == "__main__":
    main()
