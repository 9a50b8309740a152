"""Taking in a model that somebody sent: every byte of its file is doubted until it is checked. Nothing of it is run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from training.config import RunConfig
from training.errors import ConfigError, EngineError, PoolError
from training.files import sentence_for
from training.models.archive import FORMAT, MANIFEST, NAMES
from training.models.card import ModelCard, zone_definition
from training.models.document import LEFT
from training.models.weights import read_header
from training.network_config import NetworkConfig
from training.pool import Model, Project
from training.pool.registry import add_imported, all_models

LARGEST = 8 * 2**30  # bytes of all files together
LARGEST_TEXT = 64 * 2**20  # bytes of a file that is no weights
MOST_SHRUNK = 100  # how many times larger than its part of the ZIP a file may be
CHUNK = 2**20
ENCRYPTED = 0x1


def import_model(project: Project, path: Path) -> Model:
    """Bring a model's file into a project. It serves only once it has passed the gate (`training.serving`).

    Raises
    ------
    PoolError
        The project has it already, or its convention or zones are not the project's.
    EngineError
        The file is damaged, or is no model's file.
    """
    models = project.folder / "models"
    try:
        models.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models, prefix=".part-") as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            manifest = _unpack(path, folder)
            card = _checked_card(folder, manifest, path)
            _refuse_strangers(project, card, path)
            final = models / card.model
            if final.exists():  # left by an import that was cut short before its row was written
                shutil.rmtree(final)
            os.replace(folder, final)
    except OSError as error:
        raise PoolError(sentence_for(error, path)) from error
    origin = f"{card.project} (round {card.round}), file {path.name}"
    return add_imported(project, card.model, final, card.model_dump(mode="json"), origin)


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Write the checked files into the folder and hand out the manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked_entries(archive, path)
            manifest = _manifest(archive, entries[MANIFEST], path)
            for name in NAMES:
                _copy(archive, entries[name], folder / name, manifest["files"][name], path)
            return manifest
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise EngineError(f"{path} is damaged or is no ZIP file: {error}.") from error


def _checked_entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename
        if name not in (*NAMES, MANIFEST):
            raise EngineError(f"{path} is no model's file: {name!r} does not belong into one.")
        if name in entries:
            raise EngineError(f"{path} is no model's file: it holds {name} twice.")
        if entry.flag_bits & ENCRYPTED or stat.S_ISLNK(entry.external_attr >> 16):
            raise EngineError(f"{path} is no model's file: {name} is encrypted or a link.")
        weights = name.endswith(".safetensors")
        if entry.file_size > (LARGEST if weights else LARGEST_TEXT) or (
            entry.file_size > CHUNK and entry.file_size > MOST_SHRUNK * entry.compress_size
        ):
            raise EngineError(f"{path} is refused: {name} would unpack to {entry.file_size} bytes.")
        entries[name] = entry
    missing = sorted({*NAMES, MANIFEST} - set(entries))
    if missing:
        raise EngineError(f"{path} is no model's file: it has no {missing[0]}.")
    if sum(entry.file_size for entry in entries.values()) > LARGEST:
        raise EngineError(f"{path} is refused: it would unpack to more than {LARGEST} bytes.")
    return entries


def _manifest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> dict[str, Any]:
    with archive.open(entry) as stream:
        manifest = _json(stream.read(LARGEST_TEXT), MANIFEST, path)
    if manifest.get("format") != FORMAT:
        raise EngineError(
            f"{path} has format {manifest.get('format')!r}, not {FORMAT}: update this program, or export it again."
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or set(files) != set(NAMES):
        raise EngineError(f"{path} is damaged: its manifest does not list its files.")
    return manifest


def _copy(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, digest: Any, path: Path
) -> None:
    found, written = hashlib.sha256(), 0
    with archive.open(entry) as source, target.open("wb") as copy:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > entry.file_size:
                raise EngineError(f"{path} is refused: {entry.filename} is longer than it says.")
            found.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    if found.hexdigest() != digest:
        raise EngineError(f"{path} is damaged: {entry.filename} is not what its manifest says.")


def _checked_card(folder: Path, manifest: dict[str, Any], path: Path) -> ModelCard:
    """The card, once weights, description and settings agree with it and with each other."""
    texts = {
        name: _json((folder / name).read_bytes(), name, path)
        for name in ("card.json", "model.json", "config.json")
    }
    card = ModelCard.read(texts["card.json"], str(path))
    about = texts["model.json"]
    try:
        network = NetworkConfig.model_validate(about.get("network"))
        RunConfig.parse(texts["config.json"])
    except (ConfigError, ValueError) as error:
        raise EngineError(f"{path} asks for a network or settings unknown here: {error}") from error
    words = about.get("vocabulary")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise EngineError(f"{path} is damaged: model.json lists no words.")
    teacher, student = (
        read_header(folder / f"{role}.safetensors") for role in ("teacher", "student")
    )
    same = {
        card.model,
        manifest.get("model"),
        str(manifest["files"]["teacher.safetensors"])[: len(card.model)],
    }
    if len(same) > 1 or len(card.model) != 16:
        raise EngineError(f"{path} is damaged: card, manifest and weights are of different models.")
    if teacher != student or about.get("laterality") != card.laterality:
        raise EngineError(f"{path} is damaged: its parts contradict each other.")
    if card.config["network"]["name"] != network.name:
        raise EngineError(f"{path} is damaged: card and model.json name different networks.")
    return card


def _refuse_strangers(project: Project, card: ModelCard, path: Path) -> None:
    if card.laterality != project.laterality:
        raise PoolError(
            f"In {path} “left” means {LEFT[card.laterality]}, in {project.folder} {LEFT[project.laterality]}: "
            "the model would mark the wrong side and is refused; train one here, or ask for one of the same convention."
        )
    if card.zones.digest != zone_definition().digest:
        raise PoolError(
            f"{path} was trained with other zones ({card.zones.digest}, here {zone_definition().digest}) and is "
            "refused: its words mean other places; train one here."
        )
    if card.model in {model.id for model in all_models(project)}:
        raise PoolError(
            f"{project.folder} has model {card.model} already: there is nothing to bring in."
        )


def _json(content: bytes, name: str, path: Path) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path} is damaged: {name} is no JSON.") from error
    if not isinstance(read, dict):
        raise EngineError(f"{path} is damaged: {name} is no JSON object.")
    return read
