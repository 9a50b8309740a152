"""A model as one file for another project: a ZIP of weights, settings, card and a note. The same model, the same bytes.

teacher.safetensors student.safetensors model.json config.json card.json card.md NOTE.txt
manifest.json    {"format": 1, "model": ID, "files": {name: SHA-256}}
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zipfile
from pathlib import Path

from training.errors import EngineError, PoolError
from training.files import sentence_for
from training.models.card import ModelCard
from training.models.document import document
from training.pool import Model

FORMAT = 1
MANIFEST = "manifest.json"
COPIED = ("teacher.safetensors", "student.safetensors", "model.json")
NAMES = (*COPIED, "config.json", "card.json", "card.md", "NOTE.txt")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say
NOTE = """Model {model} of napari-semimedref.

It proposes masks to readers who annotate films. It is not a medical device; see card.md.
It comes as it is, without warranty of any kind. This file grants no rights: whether the weights, which were trained on
the data of the project "{project}", may be used or passed on is for those who are responsible for these data to say.

model.json lists the words that the network knows, which are the words of the project's descriptions: look through them
before the file leaves the house. The card names no case and no patient.

Bring it in with `semimedref models import PROJECT FILE`.
"""


def export_model(model: Model, card: ModelCard, target: Path) -> str:
    """Write a model to a ZIP file, whole or not at all.

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    PoolError
        The file is there already, or cannot be written.
    EngineError
        The model's files are missing or not what its id says.
    """
    if target.exists():
        raise PoolError(f"{target} is there already: choose another name, or remove it first.")
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(part, model, card)
        with part.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        os.replace(part, target)
    except OSError as error:
        raise PoolError(sentence_for(error, target)) from error
    finally:
        part.unlink(missing_ok=True)
    return digest


def _write(path: Path, model: Model, card: ModelCard) -> None:
    written = {
        "config.json": json.dumps(card.config, indent=1),
        "card.json": card.text(),
        "card.md": document(card),
        "NOTE.txt": NOTE.format(model=card.model, project=card.project),
    }
    digests = {name: _digest_of(model.folder / name) for name in COPIED}
    if not digests["teacher.safetensors"].startswith(model.id):
        raise EngineError(
            f"The weights of model {model.id} are damaged: their content is not what its id says."
        )
    digests |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in written.items()}
    manifest = {"format": FORMAT, "model": model.id, "files": digests}
    with zipfile.ZipFile(path, "w") as archive:
        _put_text(archive, MANIFEST, json.dumps(manifest, indent=1))
        for name in NAMES:
            if name in written:
                _put_text(archive, name, written[name])
            else:
                _put_file(archive, name, model.folder / name)


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EngineError(sentence_for(error, path)) from error


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every machine
    entry.compress_type = zipfile.ZIP_STORED  # weights hardly shrink, and compressors differ
    return entry


def _put_text(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(_entry(name), text)


def _put_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    entry = _entry(name)
    entry.file_size = path.stat().st_size
    with path.open("rb") as source, archive.open(entry, "w") as copy:
        shutil.copyfileobj(source, copy, 2**20)
