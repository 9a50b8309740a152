"""Views chosen for the next round: they take the place of the project's own, and leave those alone."""

from __future__ import annotations

import pytest
from made import small_project, tiny_round

from training.config import ViewsConfig
from training.errors import ConfigError
from training.next_round import (
    VIEWS,
    changed_views,
    choose_views,
    chosen_views,
    forget_views,
    next_config,
    project_config,
    save_next_config,
)
from training.pool import Project
from training.round import start_run
from training.rundir import RunFolder

LOUD = ViewsConfig(patch_gate=0.6, zoom_max=1.5)


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project")
    save_next_config(made, tiny_round())
    yield made
    made.close()


def test_chosen_views_go_into_the_next_runs_config_and_stay_after_a_restart(project):
    choose_views(project, LOUD)
    again = Project.open(project.folder)
    assert next_config(again).views == LOUD
    assert next_config(again).training == tiny_round().training
    run = start_run(again, next_config(again))
    assert RunFolder.open(run.folder).read_config().views == LOUD
    again.close()


def test_there_is_a_way_back_to_the_projects_own_settings(project):
    own = next_config(project)
    forget_views(project)  # nothing to forget: nothing happens
    choose_views(project, LOUD)
    assert project_config(project) == own
    assert changed_views(project) == {"patch_gate": (0.25, 0.6), "zoom_max": (1.2, 1.5)}
    forget_views(project)
    assert chosen_views(project) is None
    assert changed_views(project) == {}
    assert next_config(project) == own


def test_a_damaged_choice_is_told_with_the_way_out(project):
    (project.folder / VIEWS).write_text('{"patch_gate": 9}')
    with pytest.raises(
        ConfigError, match=r"next_views\.json cannot be read .*patch_gate.*remove it"
    ):
        next_config(project)
