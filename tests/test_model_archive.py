"""A model travels as one file: always the same bytes, and nothing damaged, hostile or strange is taken in."""

from __future__ import annotations

import json
import struct
import zipfile

import numpy as np
import pytest
from fake_runs import finished_run
from made import small_project, spot
from safetensors.numpy import save_file

from training.adopting import adopt
from training.errors import EngineError, PoolError, SemiMedRefError
from training.models import card as cards
from training.models.archive import MANIFEST, NAMES, export_model
from training.models.listing import card_of, filed_card, model_rows
from training.models.unpacking import import_model
from training.models.weights import read_header
from training.pool import Project
from training.pool.audit import audit
from training.pool.registry import all_models, roll_back
from training.pool.rounds import serving_model


@pytest.fixture
def sender(tmp_path):
    made = small_project(tmp_path / "sender")
    adopt(made, finished_run(made, {case.id: spot(True) for case in made.cases()}))
    yield made
    made.close()


@pytest.fixture
def receiver(tmp_path):
    made = small_project(tmp_path / "receiver")
    yield made
    made.close()


@pytest.fixture
def file(sender, tmp_path):
    model = serving_model(sender)
    path = tmp_path / "model.zip"
    export_model(model, card_of(model), path)
    return path


def rewritten(path, target, change):
    """The file with its entries changed: ``change`` gets {name: bytes} and may return a list of pairs."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    entries = change(content)
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries if isinstance(entries, list) else content.items():
            archive.writestr(name, data)
    return target


def signed(content):
    """Content whose manifest fits again, as whoever forges would see to."""
    import hashlib

    manifest = json.loads(content[MANIFEST])
    manifest["files"] = {name: hashlib.sha256(content[name]).hexdigest() for name in NAMES}
    content[MANIFEST] = json.dumps(manifest).encode()


def test_the_same_model_makes_the_same_bytes(sender, file, tmp_path):
    model = serving_model(sender)
    export_model(model, card_of(model), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {*NAMES, MANIFEST}
        assert b"not a medical device" in archive.read("card.md")
        told = archive.read("config.json") + archive.read("card.json") + archive.read("NOTE.txt")
    assert str(sender.folder.parent).encode() not in told
    with pytest.raises(PoolError, match="is there already"):
        export_model(model, card_of(model), file)


def test_a_model_comes_in_and_waits_for_the_gate(sender, receiver, file):
    model = import_model(receiver, file)
    sent = serving_model(sender)
    assert (model.id, model.run_id, model.promoted) == (sent.id, None, False)
    assert model.origin == "sender (round 1), file model.zip"
    assert serving_model(receiver) is None
    for name in ("teacher.safetensors", "student.safetensors"):
        assert (model.folder / name).read_bytes() == (sent.folder / name).read_bytes()
    (row,) = model_rows(receiver)
    assert (row.state, row.name, row.labeled, row.scores) == ("imported", "imported", 4, None)
    assert "Brought into this project from sender (round 1)" in filed_card(model)
    assert audit(receiver).problems == ()
    with pytest.raises(PoolError, match="nothing to roll back"):
        roll_back(receiver, "Ada", model)
    with pytest.raises(PoolError, match=f"has model {model.id} already"):
        import_model(receiver, file)


def test_a_model_of_the_other_convention_is_refused_with_the_sentence_that_says_so(tmp_path, file):
    other = Project.create(tmp_path / "other", laterality="patient")
    with pytest.raises(
        PoolError, match=r"“left” means the left of the picture, in .* the left of the"
    ):
        import_model(other, file)
    assert all_models(other) == []
    assert not list((other.folder / "models").iterdir())
    other.close()


def test_a_model_of_other_zones_is_refused(receiver, file, monkeypatch):
    ours = cards.zone_definition()
    changed = ours.model_copy(update={"digest": "0" * 16})
    monkeypatch.setattr("training.models.unpacking.zone_definition", lambda: changed)
    with pytest.raises(PoolError, match="trained with other zones"):
        import_model(receiver, file)


def _edit_json(name, **values):
    def change(content):
        read = json.loads(content[name]) | values
        content[name] = json.dumps(read).encode()
        signed(content)

    return change


def _edit_card_data(**values):
    def change(content):
        card = json.loads(content["card.json"])
        _edit_json("card.json", data=card["data"] | values)(content)

    return change


def _flip_weights(content):
    data = bytearray(content["teacher.safetensors"])
    data[-1] ^= 1
    content["teacher.safetensors"] = bytes(data)


def _cut_weights(content):
    content["student.safetensors"] = content["student.safetensors"][:-4]
    signed(content)


def _huge_header(content):
    content["student.safetensors"] = struct.pack("<Q", 2**62) + b"{}"
    signed(content)


def _pickle(content):
    content["student.safetensors"] = b"\x80\x04cos\nsystem\n"
    signed(content)


def _other_weights(content):
    content["teacher.safetensors"] = content["student.safetensors"]
    signed(content)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_flip_weights, "teacher.safetensors is not what its manifest says"),
        (_cut_weights, "damaged weights"),
        (_huge_header, "no weights"),
        (_pickle, "no weights"),
        (_other_weights, "of different models"),
        (lambda c: c.pop("card.json") and None, "has no card.json"),
        (lambda c: [*c.items(), ("../evil.txt", b"x")], "'../evil.txt' does not belong"),
        (lambda c: [*c.items(), ("/etc/passwd", b"x")], "does not belong"),
        (lambda c: [*c.items(), ("card.pkl", b"x")], "does not belong"),
        (lambda c: c.update({MANIFEST: b"[]"}), "no JSON object"),
        (lambda c: c.update({MANIFEST: b'{"format": 9}'}), "has format 9"),
        (lambda c: c.update({MANIFEST: b"[" * 100_000}), "no JSON"),
        (_edit_json("card.json", format=2), "card of .* is damaged: format"),
        (_edit_json("card.json", laterality="patient"), "contradict each other"),
        (_edit_json("card.json", config={}), "card of .* is damaged: its settings name no network"),
        (_edit_json("card.json", config={"network": 7}), "its settings name no network"),
        (_edit_card_data(cases={}), "does not count the labeled cases"),
        (_edit_json("model.json", network={"name": "mystery"}), "unknown here"),
        (_edit_json("model.json", vocabulary=7), "lists no words"),
        (_edit_json("config.json", unheard_of=1), "unknown here"),
    ],
)
def test_damaged_and_hostile_files_are_refused_and_leave_nothing(
    receiver, file, tmp_path, change, sentence
):
    bad = rewritten(file, tmp_path / "bad.zip", change)
    with pytest.raises(EngineError, match=sentence):
        import_model(receiver, bad)
    assert all_models(receiver) == []
    assert not list((receiver.folder / "models").iterdir())
    assert not (receiver.folder.parent / "evil.txt").exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(receiver, file, tmp_path):
    def bomb(content):
        content["card.md"] = b"\0" * (200 * 2**20)

    bad = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    bomb(content)
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    assert bad.stat().st_size < 2**20
    with pytest.raises(EngineError, match="would unpack to 209715200 bytes"):
        import_model(receiver, bad)


def test_a_link_a_doubled_entry_and_no_zip_are_refused(receiver, file, tmp_path):
    def link(content):
        entry = zipfile.ZipInfo("card.md")
        entry.external_attr = 0o120777 << 16
        return [pair for pair in content.items() if pair[0] != "card.md"] + [(entry, b"/etc")]

    with pytest.raises(EngineError, match="a link"):
        import_model(receiver, rewritten(file, tmp_path / "link.zip", link))
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = rewritten(
            file, tmp_path / "two.zip", lambda c: [*c.items(), ("card.md", b"other")]
        )
    with pytest.raises(EngineError, match=r"card\.md twice"):
        import_model(receiver, doubled)
    (tmp_path / "no.zip").write_bytes(file.read_bytes()[:500])
    with pytest.raises(EngineError, match="no ZIP file"):
        import_model(receiver, tmp_path / "no.zip")
    with pytest.raises(PoolError, match="There is no"):
        import_model(receiver, tmp_path / "nowhere.zip")


@pytest.mark.parametrize("at", range(0, 5000, 331))
def test_a_flipped_byte_anywhere_is_refused_or_changes_nothing_of_the_model(
    receiver, file, tmp_path, at
):
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 0xFF
    bad = tmp_path / "flipped.zip"
    bad.write_bytes(bytes(data))
    try:
        model = import_model(receiver, bad)
    except SemiMedRefError:
        assert all_models(receiver) == []
    else:
        assert audit(receiver).problems == ()
        assert model.id == all_models(receiver)[0].id


def test_an_import_that_was_cut_short_can_be_repeated(receiver, file, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("training.models.unpacking.add_imported", crash)
    with pytest.raises(KeyboardInterrupt):
        import_model(receiver, file)
    assert all_models(receiver) == []
    monkeypatch.undo()
    assert import_model(receiver, file).origin


def test_damaged_weights_are_not_sent(sender, tmp_path):
    model = serving_model(sender)
    save_file({"other": np.zeros(3)}, model.folder / "teacher.safetensors")
    with pytest.raises(EngineError, match="damaged"):
        export_model(model, card_of(model), tmp_path / "bad.zip")
    assert not list(tmp_path.glob("*bad.zip*"))


def test_the_header_tells_names_types_and_shapes(tmp_path):
    save_file({"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.int64)}, tmp_path / "w")
    assert read_header(tmp_path / "w") == {"a": ("F32", (2, 3)), "b": ("I64", (4,))}
