from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from little_films import SIDES, describe, films, tiny_config

from training.engine import loop
from training.engine.checkpoint import read_network
from training.engine.contrast import ContrastSet
from training.engine.epi import EpiMaps, momentum_for
from training.engine.films import Films
from training.engine.loop import run
from training.engine.methods.lvit_epi import LvitMemory, lvit_epi_pieces
from training.engine.networks import build, collect_vocabulary
from training.engine.pace import Pace
from training.engine.setup import Round
from training.engine.streams import Key
from training.errors import EngineError
from training.events import EventTail
from training.rundir import RunFolder
from training.snapshot import Snapshot

EPI = {"method": {"name": "lvit-epi"}}


def batch(*picks: tuple[str, int]) -> Films:
    count = len(picks)
    keys = tuple(Key(0, case_id, epoch) for case_id, epoch in picks)
    return Films(keys, torch.zeros(count, 1, 2, 2), None, ("words",) * count)


def flat(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 2, 2)


def maps_of(folder, momentum=0.75, **texts) -> EpiMaps:
    return EpiMaps(texts or {"a": "left", "b": "right"}, 2, momentum, folder)


def test_a_map_follows_the_recursion_worked_out_by_hand(tmp_path):
    maps = maps_of(tmp_path)
    # P_0 = 0.8; P_1 = 0.75 * 0.8 + 0.25 * 0.4 = 0.7; P_2 = 0.75 * 0.7 + 0.25 * 0.1 = 0.55.
    told = [maps.fold(batch(("a", epoch)), flat(p)) for epoch, p in enumerate((0.8, 0.4, 0.1))]
    for found, expected in zip(told, (0.8, 0.7, 0.55), strict=True):
        assert found.shape == (1, 1, 2, 2)
        assert found[0, 0, 0, 0].item() == pytest.approx(expected, abs=5e-4)


def test_an_epoch_is_one_generation_however_often_a_case_is_shown(tmp_path):
    maps = maps_of(tmp_path)
    maps.fold(batch(("a", 0)), flat(0.8))
    again = maps.fold(batch(("a", 0)), flat(0.0))
    assert again.max().item() == pytest.approx(0.8, abs=5e-4)
    # A pool smaller than a batch shows a case at two epochs in one step: two generations.
    both = maps.fold(batch(("a", 1), ("a", 2)), flat(0.4, 0.4))
    assert both[0, 0, 0, 0].item() == pytest.approx(0.75 * 0.7 + 0.25 * 0.4, abs=1e-3)


def test_maps_of_different_cases_do_not_touch(tmp_path):
    maps = maps_of(tmp_path)
    maps.fold(batch(("a", 0)), flat(1.0))
    told = maps.fold(batch(("b", 3), ("a", 1)), flat(0.5, 0.0))
    assert told[:, 0, 0, 0].tolist() == pytest.approx([0.5, 0.75])
    assert len(maps) == 2


def test_written_maps_come_back_exactly_and_are_half_precision(tmp_path):
    maps = maps_of(tmp_path)
    for epoch, values in enumerate(((0.123456, 0.9), (0.777, 0.31))):
        said = maps.fold(batch(("a", epoch), ("b", epoch)), flat(*values))
    index = json.loads(json.dumps(maps.write()))
    maps.drop_old()
    again = maps_of(tmp_path)
    again.restore(index)
    assert torch.equal(again.fold(batch(("a", 1), ("b", 1)), flat(0.0, 0.0)), said)
    assert {np.load(path).dtype for path in tmp_path.iterdir()} == {np.dtype(np.float16)}


def test_an_older_list_of_generations_still_finds_its_own_maps(tmp_path):
    maps = maps_of(tmp_path)
    before = maps.fold(batch(("a", 0)), flat(0.8))
    index = maps.write()
    maps.fold(batch(("a", 1)), flat(0.0))
    maps.write()  # Killed before the new list was safe and the old file dropped.
    again = maps_of(tmp_path)
    again.restore(index)
    assert torch.equal(again.fold(batch(("a", 0)), flat(0.5)), before)


def test_only_the_newest_generation_and_the_one_before_stay_on_disk(tmp_path):
    maps = maps_of(tmp_path)
    for epoch in range(3):
        maps.fold(batch(("a", epoch)), flat(0.5))
        maps.write()
        maps.drop_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.1.npy", "a.2.npy"]


def test_a_changed_description_restarts_its_map_and_a_deleted_case_is_forgotten(tmp_path):
    texts = {"a": "left", "b": "right", "c": "both"}
    maps = maps_of(tmp_path, **texts)
    maps.fold(batch(("a", 0), ("b", 0), ("c", 0)), flat(0.8, 0.8, 0.8))
    index = maps.write()
    again = maps_of(tmp_path, a="left", b="upper right")
    again.restore(index)
    assert len(again) == 1
    told = again.fold(batch(("a", 1), ("b", 1)), flat(0.4, 0.4))
    assert told[:, 0, 0, 0].tolist() == pytest.approx([0.7, 0.4], abs=1e-3)
    assert set(again.write()) == {"a", "b"}


@pytest.mark.parametrize("spoil", ["missing", "damaged", "other size"])
def test_a_map_that_cannot_be_used_starts_over(spoil, tmp_path):
    maps = maps_of(tmp_path)
    maps.fold(batch(("a", 0)), flat(0.8))
    index = maps.write()
    path = tmp_path / "a.0.npy"
    if spoil == "missing":
        path.unlink()
    elif spoil == "damaged":
        path.write_bytes(b"nothing of the kind")
    else:
        np.save(path, np.zeros((3, 3), np.float16))
    again = maps_of(tmp_path)
    again.restore(index)
    assert len(again) == 0


@pytest.mark.parametrize(
    ("steps", "unlabeled", "expected"),
    [
        (100, 400, 0.0),  # 100 steps of 8 cases: two generations.
        (100, 80, 0.8),  # Ten generations: a memory of five.
        (100_000, 80, 0.99),
        (1, 400, 0.0),  # Less than one.
    ],
)
def test_the_momentum_follows_the_number_of_generations(steps, unlabeled, expected):
    changes = {"steps": steps, "burn_in": 0, "batch_unlabeled": 8}
    config = tiny_config(**EPI, training=changes)
    assert momentum_for(config.method, config.training, unlabeled) == pytest.approx(expected)


def test_a_momentum_in_the_settings_is_taken_as_it_is():
    config = tiny_config(method={"name": "lvit-epi", "epi_momentum": 0.99})
    assert momentum_for(config.method, config.training, 5) == 0.99


def losses(folder: RunFolder) -> dict[int, float]:
    told = (e for e in EventTail(folder.events_file).read_new() if e["kind"] == "progress")
    return {e["step"]: e["loss"] for e in told}


@pytest.fixture
def talkative(monkeypatch):
    monkeypatch.setattr(Pace, "may_speak", lambda self: True)


def kill_at(monkeypatch, save: int, die: int):
    """Save before the step ``save``, die before the step ``die``."""
    original = loop.one_step

    def dying(this: Round, burn_in: int):
        if this.counters.step == save:
            this.save()
        if this.counters.step == die:
            raise KeyboardInterrupt  # As sudden as a kill: nothing after it is written.
        return original(this, burn_in)

    monkeypatch.setattr(loop, "one_step", dying)


def weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    return read_network(folder.best, "student").state_dict()


def test_a_killed_run_ends_as_one_that_was_not(make_run, talkative):
    lvit = {**EPI, "network": {"name": "lvit-t"}}
    whole, broken = make_run("whole", **lvit), make_run("broken", **lvit)
    assert run(whole)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, save=9, die=11)
        with pytest.raises(KeyboardInterrupt):
            run(broken)
    assert len(list(broken.epi.glob("*.npy"))) == 6
    assert run(broken)
    assert losses(broken) == losses(whole)
    assert len(losses(whole)) == 12
    scores, expected = ({**f.read_scores(), "seconds": 0} for f in (broken, whole))
    assert scores == expected
    ours, theirs = weights(broken), weights(whole)
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    for folder in ("epi", "predictions"):
        found, wanted = (
            {p.name: p.read_bytes() for p in (f.path / folder).iterdir()} for f in (broken, whole)
        )
        # Beside its maps the broken run may still hold those that the checkpoint before needs.
        assert wanted.items() <= found.items()


def test_a_description_changed_between_two_starts_restarts_the_map_of_its_case(
    make_run, snapshot, talkative
):
    folder = make_run(**EPI)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, save=9, die=9)
        with pytest.raises(KeyboardInterrupt):
            run(folder)
    first, *others = snapshot.unlabeled
    changed = first.model_copy(update={"description": others[0].description})
    Snapshot.model_validate(
        {**snapshot.model_dump(), "unlabeled": (changed.model_dump(), *others[:-1])}
    ).save(folder.snapshot_file)
    restored = []
    original = EpiMaps.restore

    def spy(self, index):
        original(self, index)
        restored.append((set(index), set(self._maps)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpiMaps, "restore", spy)
        assert run(folder)
    written, kept = restored[0]
    assert written - kept == {first.case_id, others[-1].case_id}


def test_labels_without_zones_give_no_contrastive_masks_and_a_sentence(make_run, snapshot):
    vague = tuple(c.model_copy(update={"description": "Infection."}) for c in snapshot.labeled)
    of = snapshot.model_copy(update={"labeled": vague})
    with pytest.raises(EngineError, match="lv_folder"):
        run(make_run(of=of, **EPI))
    assert run(make_run("without", of=of, method={"name": "lvit-epi", "lambda_lv": 0}))


CONTRADICTION = "Unilateral pulmonary infection, upper left lung and lower right lung."
NO_PLACE = "Pulmonary infection."


def step_over(texts: tuple[str, ...], folder, first: float | None = None):
    """One step whose unlabeled films have these texts; the first film's map may hold something already."""
    config = tiny_config(network={"name": "lvit-t"}, **EPI)
    torch.manual_seed(0)
    network = build(config.network, collect_vocabulary([*SIDES, *texts])).train()
    labeled, unlabeled = films([0, 1]), films([2, 3])
    blind = Films(unlabeled.keys, unlabeled.images, None, texts)
    named = {key.case_id: text for key, text in zip(blind.keys, texts, strict=True)}
    contrasts = ContrastSet(tuple(map(describe, SIDES)), torch.ones(2, 1, 48, 48))
    memory = LvitMemory(EpiMaps(named, 48, 0.5, folder), contrasts)
    if first is not None:
        before = Films((replace(blind.keys[0], epoch=-1),), blind.images[:1], None, texts[:1])
        memory.maps.fold(before, torch.full((1, 1, 48, 48), first))
    step = lvit_epi_pieces(network, network, labeled, blind, config, 1.0, "image", memory)
    return memory, next(step)


def test_a_text_that_contradicts_itself_teaches_no_map(tmp_path):
    for text, silent in ((CONTRADICTION, True), (NO_PLACE, False), (describe("left"), False)):
        memory, told = step_over((text, text), tmp_path)
        assert (told.parts["loss_unlabeled"] == 0) == silent
        assert (told.parts["loss_lv"] == 0) == (text != describe("left"))
        assert len(memory.maps) == 2


@pytest.mark.parametrize(("text", "matters"), [(CONTRADICTION, False), (describe("left"), True)])
def test_what_the_map_of_a_contradicting_film_holds_changes_nothing(text, matters, tmp_path):
    told = [step_over((text, describe("right")), tmp_path, first=value)[1] for value in (0.0, 1.0)]
    first, second = (each.parts["loss_unlabeled"] for each in told)
    assert first > 0
    assert (first != second) == matters
