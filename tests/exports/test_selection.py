"""What leaves a project is what was chosen: by state, reader and day, and never over something else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from made import LEFT, small_project, spot

from training.errors import FormatError
from training.exports import Selection, export
from training.exports.selection import choose


@pytest.fixture
def project(tmp_path):
    project = small_project(tmp_path / "project")
    first, second = project.cases("unlabeled")[:2]
    project.accept(first.id, spot(True), LEFT, "Ada", source="drawn")
    project.accept(first.id, spot(False), "Bo's words.", "Bo", source="edited")
    project.accept(second.id, spot(True), LEFT, "Bo", source="drawn")
    return project


def _ids(project, **chosen):
    return [item.case.id for item in choose(project, Selection(**chosen))]


def test_accepted_cases_and_the_holdout_are_chosen_unless_somebody_says_otherwise(project):
    states = {item.case.pool for item in choose(project, Selection())}
    assert states == {"labeled", "gate", "report"}
    assert all(item.revision for item in choose(project, Selection()))


def test_only_the_chosen_states_leave(project):
    assert len(_ids(project, states=frozenset({"gate"}))) == 2
    unlabeled = choose(project, Selection(states=frozenset({"unlabeled"})))
    assert len(unlabeled) == 4
    assert all(item.mask(project) is None for item in unlabeled)


def test_a_readers_own_revision_leaves_even_where_somebody_else_was_later(project):
    (item,) = choose(project, Selection(readers=frozenset({"Ada"})))
    assert item.description == LEFT
    assert (item.mask(project) == spot(True)).all()
    assert len(_ids(project, readers=frozenset({"Bo"}))) == 2


def test_only_revisions_of_the_chosen_days_leave(project):
    today = datetime.now(UTC).date()
    assert _ids(project, since=today - timedelta(days=1), until=today + timedelta(days=1))
    for wrong in ({"until": date(2020, 1, 1)}, {"since": today + timedelta(days=2)}):
        with pytest.raises(FormatError, match=r"No case of .* fits what was chosen"):
            choose(project, Selection(**wrong))


def test_impossible_choices_are_refused_in_a_sentence():
    with pytest.raises(FormatError, match="There is no state finished"):
        Selection(states=frozenset({"finished"}))
    with pytest.raises(FormatError, match="swap the dates"):
        Selection(since=date(2026, 2, 1), until=date(2026, 1, 1))


def test_nothing_is_written_over_and_an_unknown_format_is_named(project, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(FormatError, match="is not empty"):
        export("masks", project, tmp_path / "out")
    with pytest.raises(FormatError, match="There is no export 'docx'"):
        export("docx", project, tmp_path / "other")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_full_disk_is_told_in_a_sentence(project, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.files.os.replace", full)
    with pytest.raises(FormatError, match="The disk is full"):
        export("masks", project, tmp_path / "out")
