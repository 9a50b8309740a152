from __future__ import annotations

from typing import get_args

import pytest

from training.config import MethodConfig, NetworkConfig
from training.engine.loop import run
from training.events import EventTail

NETWORKS = get_args(NetworkConfig.model_fields["name"].annotation)
METHODS = get_args(MethodConfig.model_fields["name"].annotation)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("use_text", [True, False])
def test_every_network_learns_by_every_method(network, method, use_text, make_run):
    folder = make_run(
        network={"name": network, "use_text": use_text, "widths": [8, 8, 8, 8]},
        method={"name": method},
        training={"steps": 2, "burn_in": 0.5, "evaluate_every": 2},
    )
    assert run(folder)
    events = EventTail(folder.events_file).read_new()
    told = [event for event in events if event["kind"] == "progress"]
    assert told[-1]["step"] == 2
    assert ("loss_unlabeled" in told[-1]) == (method != "supervised")
    assert ("loss_lv" in told[-1]) == (method == "lvit-epi")
    assert len(folder.read_predictions_index()) == 6


@pytest.mark.parametrize("network", ["mmi-unet", "lvit-t"])
def test_the_lv_loss_can_compare_the_vectors_of_texts(network, make_run):
    method = {"name": "lvit-epi", "lv_match": "text"}
    folder = make_run(network={"name": network}, method=method, training={"steps": 2})
    assert run(folder)
