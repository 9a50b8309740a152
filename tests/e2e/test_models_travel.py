"""A model that the engine trained goes to another project as a file, is measured there by the engine, and serves."""

from __future__ import annotations

import pytest
from made import small_project, tiny_round
from typer.testing import CliRunner

from training.cli import app
from training.models.measured import read_measured
from training.pool.registry import all_models
from training.pool.rounds import proposals_of, serving_model
from training.round import run_round


def call(*words):
    result = CliRunner().invoke(app, ["models", *map(str, words)])
    assert result.exception is None, result.exception
    return result.output


@pytest.mark.timeout(600)
def test_a_trained_model_is_sent_measured_and_serves_elsewhere(tmp_path):
    home, away = small_project(tmp_path / "home"), small_project(tmp_path / "away", unlabeled=8)
    assert call(home.folder).startswith("There is no model yet")
    trained = run_round(home, tiny_round()).model
    told = read_measured(trained.folder)  # the trainer's counts, as every round leaves them
    assert len(told.all_of("gate")) == len(told.all_of("report", "student")) == 2
    listed = call(home.folder)
    assert f" * {trained.id}" in listed
    assert "not a medical device" in call("show", home.folder, "serving")
    assert "SHA-256" in call("export", home.folder, trained.id[:6], tmp_path / "model.zip")

    assert "models serve" in call("import", away.folder, tmp_path / "model.zip")
    assert serving_model(away) is None
    said = call("serve", away.folder, trained.id)
    assert "8 pseudo-masks came in" in said
    serving = serving_model(away)
    assert serving.id == trained.id
    assert set(proposals_of(away, serving)) == {case.id for case in away.cases("unlabeled")}
    assert not (away.folder / "measuring" / trained.id).exists()
    compared = call("compare", away.folder, "serving", trained.id, "--json", tmp_path / "c.json")
    assert "B - A, mean over cases: +0.000" in compared
    call("card", away.folder, trained.id, "--out", tmp_path / "card.md")
    card = (tmp_path / "card.md").read_text()
    assert "Measured in the project that files this card" in card
    assert "Brought into this project from home (round 1), file model.zip" in card
    assert len(all_models(away)) == 1
    home.close()
    away.close()
