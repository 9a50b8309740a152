"""Where a step asks for numbers that the device has yet to compute: a GPU stands still for each such question."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from training.config import preset
from training.engine import setup
from training.engine.step import heed_collapse, one_step
from training.engine.watch import NO_NUMBER, Watch, read
from training.errors import EngineError
from training.events import EventWriter

ASKING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero"}
CPU = torch.device("cpu")


class Questions(TorchDispatchMode):
    """Notes every operation whose result, or whose size, the host has to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        chosen = args[1] if name in ("index", "index_put_") else ()
        by_truth = any(each is not None and each.dtype == torch.bool for each in chosen)
        if name in ASKING or by_truth:
            self.asked.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def fetched(monkeypatch):
    """Fetches from the device that no operation shows."""
    calls = []
    for name in ("cpu", "tolist"):
        original = getattr(torch.Tensor, name)

        def noted(self, *rest, name=name, original=original):
            calls.append(name)
            return original(self, *rest)

        monkeypatch.setattr(torch.Tensor, name, noted)
    return calls


def prepared(make_run, name, device="cpu", **sections):
    folder = make_run(name, **sections)
    return setup.prepare(folder, EventWriter(folder.events_file), device)


def settings_of(name):
    given = preset(name)
    return {
        part: getattr(given, part).model_dump(mode="json", exclude_none=True)
        for part in ("views", "method")
    }


# The teacher's maps decide what is pasted and what the words become: the one thing to wait for. Labeled films are
# planned by masks that the host has; here, where both are one, that counts as a fetch, so they get no patches.
CASES = {
    "default": (
        {"views": {"patch_probability": 1.0, "labeled_patch_probability": 0.0}},
        2,
        ["cpu"],
    ),
    "no-patches": ({"views": {"patch_probability": 0.0, "labeled_patch_probability": 0.0}}, 2, []),
    "paper": (settings_of("paper"), 2, ["cpu"]),
    "burn-in": ({"views": {"labeled_patch_probability": 0.0}}, 100, []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_step_waits_for_the_teacher_only_where_patches_are_cut(make_run, fetched, name):
    sections, burn_in, expected = CASES[name]
    this = prepared(make_run, name, **sections)
    for _ in range(8):  # both phases
        one_step(this, burn_in)
        this.counters.step += 1
    fetched.clear()
    with Questions() as questions:
        told = one_step(this, burn_in)
    assert questions.asked == []
    assert fetched == expected
    assert "loss_labeled" in told
    assert ("loss_unlabeled" in told) == (name != "burn-in")


def test_a_step_shows_films_once_to_the_teacher_and_once_to_the_student_and_encodes_a_text_once(
    make_run, bert
):
    network = {"text_encoder": "hf", "text_weights": bert}
    this = prepared(make_run, "passes", network=network)
    shown = {"student": [], "teacher": []}
    for name, each in (("student", this.student), ("teacher", this.teacher.network)):
        each.register_forward_hook(
            lambda _, films, __, name=name: shown[name].append(len(films[0]))
        )
    read = []
    this.student.words._hidden[1].register_forward_hook(lambda *_: read.append(1))
    for _ in range(6):
        one_step(this, burn_in=0)
        this.counters.step += 1
    assert shown == {"student": [8] * 6, "teacher": [4] * 6}
    assert len(read) == this.student.words.texts_known
    assert this.teacher.network.words.texts_known == len(read)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_step_on_a_gpu_never_stands_still(make_run):
    views = {"patch_probability": 0.0}
    this = prepared(make_run, "gpu", device="cuda", views=views)
    for _ in range(4):
        one_step(this, burn_in=2)
        this.counters.step += 1
    this.look()
    torch.cuda.set_sync_debug_mode("error")
    try:
        one_step(this, burn_in=2)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_the_first_step_that_was_no_number_is_named_when_somebody_looks():
    fine, lost = torch.tensor(1.0), torch.tensor(float("nan"))
    watch = Watch(CPU)
    watch.see(0, fine, fine, {})
    assert watch.look() == 0
    watch.see(1, fine, None, {})
    watch.see(2, fine, lost, {})
    watch.see(3, lost, lost, {})
    with pytest.raises(EngineError) as caught:
        watch.look()
    assert str(caught.value) == NO_NUMBER.format(what="gradient", step=2)


def test_a_loss_comes_before_its_gradient():
    watch = Watch(CPU)
    watch.see(5, torch.tensor(float("inf")), torch.tensor(float("nan")), {})
    with pytest.raises(EngineError) as caught:
        watch.look()
    assert str(caught.value) == NO_NUMBER.format(what="loss", step=5)


def empty(share, positive=1.0):
    return {"empty_fraction": torch.tensor(share), "positive_fraction": torch.tensor(positive)}


def test_the_share_of_empty_pseudo_masks_is_averaged_and_goes_on_where_it_stood():
    one = torch.tensor(1.0)
    whole, first = Watch(CPU), Watch(CPU)
    for step in range(4):
        whole.see(step, one, one, empty(step % 2))
    for step in range(2):
        first.see(step, one, one, empty(step % 2))
    then = Watch(CPU, first.look())
    for step in range(2, 4):
        then.see(step, one, one, empty(step % 2))
    assert then.look() == whole.look() == pytest.approx(0.05 + 0.95**2 * 0.05, abs=1e-6)


def test_a_batch_without_positive_descriptions_says_nothing_of_empty_pseudo_masks():
    one, watch = torch.tensor(1.0), Watch(CPU, 0.4)
    watch.see(0, one, one, empty(0.0, positive=0.0))
    assert watch.look() == pytest.approx(0.4)
    watch.see(1, one, one, empty(1.0, positive=0.125))
    assert watch.look() == pytest.approx(0.95 * 0.4 + 0.05)


def test_what_is_told_is_read_with_a_single_fetch(fetched):
    told = {"loss": torch.tensor(2.0), "lr": 0.5, "share": torch.tensor(3)}
    assert read(told) == {"loss": 2.0, "lr": 0.5, "share": 3.0}
    assert fetched == ["tolist"]
    assert read({"lr": 0.5}) == {"lr": 0.5}


def test_a_checkpoint_is_never_written_of_weights_that_are_no_numbers(make_run):
    this = prepared(make_run, "lost")
    this.watch.see(3, torch.tensor(float("nan")), None, {})
    with pytest.raises(EngineError, match="step 3"):
        this.save()
    assert not this.folder.last.exists()


def test_what_a_half_precision_run_scales_its_losses_by_is_resumed(make_run, monkeypatch):
    def scaling(config, training, made=setup.make_fabric):
        fabric = made(config, training)
        fabric.strategy.precision.scaler = torch.amp.GradScaler("cpu")
        return fabric

    monkeypatch.setattr(setup, "make_fabric", scaling)
    this = prepared(make_run, "half")
    scaler = setup.scaler_of(this.fabric)
    scaler.load_state_dict({**scaler.state_dict(), "scale": 128.0, "_growth_tracker": 7})
    this.save()
    again = setup.prepare(this.folder, EventWriter(this.folder.events_file), "cpu")
    assert setup.scaler_of(again.fabric).state_dict() == scaler.state_dict()
    assert setup.scaler_of(again.fabric).state_dict()["scale"] == 128.0


def test_the_alarm_is_raised_once_and_by_the_share_in_the_counters(make_run):
    this = prepared(make_run, "alarm", method={"empty_alarm": 0.3})
    heed_collapse(this)
    assert not this.counters.alarmed
    this.counters.empty_average = 0.31
    heed_collapse(this)
    heed_collapse(this)
    assert this.counters.alarmed
    assert this.folder.events_file.read_text().count("empty") == 1
