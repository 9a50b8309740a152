"""Which decoder opens which compression, and the fence around the one that can take a process down.

GDCM is the only free decoder of lossless JPEG, but damaged data can make it end the process it runs in. It therefore
runs in a child (`dicom_child`) that serves one import after the other and is started anew when it has died.
"""

from __future__ import annotations

import io
import subprocess
import sys
import threading

import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.decoders.base import get_decoder

from training.errors import FormatError

PATIENCE = 60.0  # seconds for one picture
_PLUGINS = {
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEG2000Lossless: "pylibjpeg",
    uid.JPEG2000: "pylibjpeg",
    uid.HTJ2KLossless: "pylibjpeg",
    uid.HTJ2KLosslessRPCL: "pylibjpeg",
    uid.HTJ2K: "pylibjpeg",
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.RLELossless: "pydicom",
    uid.JPEGExtended12Bit: "gdcm",
    uid.JPEGLossless: "gdcm",
    uid.JPEGLosslessSV1: "gdcm",
}
_DESCRIBING = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)


def stored_pixels(dataset: Dataset) -> np.ndarray:
    """The stored values, ``(H, W)`` or ``(H, W, 3)`` RGB, decompressed by the one decoder that is trusted with it.

    Raises
    ------
    FormatError
        The compression is unknown, its decoder is not installed, or the data is damaged.
    """
    meta = getattr(dataset, "file_meta", None)
    syntax = None if meta is None else meta.get("TransferSyntaxUID")
    if syntax is None or not syntax.is_compressed:
        return dataset.pixel_array
    plugin = _PLUGINS.get(syntax)
    if plugin is None:
        raise FormatError(f"Its compression ({syntax.name}) is unknown: convert the file.")
    if plugin not in get_decoder(syntax).available_plugins:
        raise FormatError(
            f"Its compression ({syntax.name}) needs a decoder that is not installed: "
            "pip install 'napari-semimedref[dicom]'."
        )
    if plugin == "gdcm":
        return _child.decode(_described(dataset))
    dataset.pixel_array_options(decoding_plugin=plugin)
    return dataset.pixel_array


def _described(dataset: Dataset) -> bytes:
    """A file of the pixels and what describes them, and nothing else."""
    part = Dataset()
    for keyword in _DESCRIBING:
        if keyword in dataset:
            part[keyword] = dataset[keyword]
    part.file_meta = FileMetaDataset()
    part.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, part, enforce_file_format=True)
    return stream.getvalue()


class _Child:
    """The child process; one picture at a time. It ends by itself when this process ends."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def decode(self, content: bytes) -> np.ndarray:
        """The array; FormatError if the child refuses the picture or dies of it, twice."""
        with self._lock:
            answer = self._attempt(content)
            if answer is None:  # it may have died of something else
                answer = self._attempt(content)
        if not answer:
            raise FormatError("Its compressed picture is damaged: replace it or leave it out.")
        pixels: np.ndarray = np.load(io.BytesIO(answer), allow_pickle=False)
        return pixels

    def _attempt(self, content: bytes) -> bytes | None:
        process = self._running()
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        try:
            answer = _ask(process, content)
        except OSError:
            answer = None
        finally:
            watch.cancel()
        if answer is None:
            self._end()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "training.formats.dicom_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _ask(process: subprocess.Popen[bytes], content: bytes) -> bytes | None:
    """The child's answer, empty if it refuses the picture; None if it died of it."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(len(content).to_bytes(8, "big") + content)
    process.stdin.flush()
    head = process.stdout.read(8)
    answer = process.stdout.read(int.from_bytes(head, "big"))
    return answer if len(head) == 8 and len(answer) == int.from_bytes(head, "big") else None


_child = _Child()
