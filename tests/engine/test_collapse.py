"""What goes wrong with pseudo-masks, and that the default keeps clear of it: whole runs on phantoms, minutes each."""

from __future__ import annotations

import pytest

from training.config import RunConfig, preset
from training.engine.loop import run
from training.formats.phantom import phantom_snapshot
from training.phantom import PhantomConfig
from training.rundir import RunFolder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
RELEASED = preset("release").model_dump(mode="json")
# Hard pseudo-masks at full weight after a tenth of burn-in, followed by a teacher that hardly lags.
EARLY = {"lambda_u": 1.0, "lambda_u_ramp": 0.0, "ema_start": 0.95, "ema_end": 0.99}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collapse")
    made = phantom_snapshot(folder, PhantomConfig(size=64), 0, labeled=120, unlabeled=200)
    pools = {"labeled": made.labeled[:50], "gate": made.labeled[50:60]}
    return made.model_copy(update={**pools, "report": made.labeled[60:]})


@pytest.fixture
def dice(films, tmp_path):
    """Dice over all pixels of the last teacher of a run, in percent."""

    def train(name, steps, burn_in=0.5, until=1.5, **sections):
        training = {"steps": steps, "evaluate_every": steps}
        training |= {"burn_in": burn_in, "burn_in_until": until}
        network = {"image_size": 64, **sections.pop("network", {})}
        content = {"device": "cpu", "network": network, "training": training, **sections}
        folder = RunFolder.create(tmp_path / name, RunConfig.parse(content), films)
        assert run(folder)
        return 100 * folder.read_scores()["report"]["teacher"]["dice_global"]

    return train


def test_hard_pseudo_masks_after_a_short_burn_in_destroy_what_was_learned(dice):
    method, views = RELEASED["method"], RELEASED["views"]
    alone = dice("alone", 300, method=method | {"name": "supervised"}, views=views)
    early = dice("early", 300, burn_in=0.1, until=0, method=method | EARLY, views=views)
    assert alone > 50
    assert early < alone - 10
    # The same, but not before the labeled films are known.
    later = dice("later", 300, burn_in=0.1, method=method | EARLY, views=views)
    assert later > alone - 5


def test_the_default_is_never_much_worse_than_supervised_training_of_the_same_mixing(dice):
    alone = dice("alone", 500, method={"name": "supervised"})
    ours = dice("ours", 500)
    assert alone > 65
    assert ours > alone - 3


def test_with_words_a_network_finds_the_lesions_that_are_meant(dice):
    method = {"name": "supervised"}
    hearing = dice("hearing", 300, method=method)
    deaf = dice("deaf", 300, method=method, network={"use_text": False})
    assert hearing > deaf + 8
