"""The progress dock, and what the window does with arms of the queue."""

from __future__ import annotations

import numpy as np
from docking import docked
from qtpy.QtCore import Qt
from teachers import probability

from napari_semimedref.chips import SAID, chips_of
from napari_semimedref.widgets.progress import NO_WORK, ProgressDock
from napari_semimedref.widgets.queue_filters import FilterBar
from training.acquisition import STRATEGIES, Choice
from training.curves import Curves, Interval, LearningPoint, Work
from training.pool.showings import last_showing

PATIENCE_MS = 20_000


def _point(number: int, labeled: int, dice: float) -> LearningPoint:
    found = Interval(dice, dice - 0.05, dice + 0.05)
    texts = {name: {"dice_global": found, "dice_per_image": found} for name in ("with", "shuffled")}
    return LearningPoint(number, f"m{number}", labeled, True, 30, texts)


def _curves() -> Curves:
    chosen = Work("strategy", 12, 0.25, 0.02, 21.0, 240.0)
    planted = Work("planted", 3, 1.0, 0.0, 4.0, 12.0, 3)
    points = (_point(1, 20, 0.5), _point(2, 40, 0.7))
    return Curves("demo", points, {0: (chosen,), 1: (chosen, planted)}, (chosen, planted))


def test_the_dock_draws_what_was_measured_and_tells_the_work(qtbot, space):
    dock = docked(qtbot, ProgressDock, space)
    dock.show_curves(_curves())
    x, y = dock.plot.lines["with"].getData()
    assert (x.tolist(), y.tolist()) == ([20, 40], [0.5, 0.7])
    assert dock.plot.lines["without"].getData()[0] is None or not len(
        dock.plot.lines["without"].getData()[0]
    )
    assert "Round 2, 40 labels: 0.700 (0.650 to 0.750, 30 cases)" in dock.summary.text()
    assert "25%" in dock.work.text()
    assert "after round 1, chosen" in dock.work.text()


def test_the_dock_keeps_quiet_about_planted_proposals(qtbot, space):
    dock = docked(qtbot, ProgressDock, space)
    dock.show_curves(_curves())
    assert "planted" not in dock.work.text()


def test_an_acceptance_is_counted_once_the_dock_reads_again(qtbot, space):
    dock = docked(qtbot, ProgressDock, space)
    qtbot.waitUntil(lambda: dock.curves is not None, timeout=PATIENCE_MS)
    assert dock.work.text() == NO_WORK
    space.accept()
    dock.refresh()
    qtbot.waitUntil(lambda: "100%" in dock.work.text(), timeout=PATIENCE_MS)


def test_every_order_is_offered_by_a_title_and_explained(qtbot):
    bar = FilterBar()
    qtbot.addWidget(bar)
    assert [bar.order.itemData(row) for row in range(bar.order.count())] == list(STRATEGIES)
    for row, strategy in enumerate(STRATEGIES.values()):
        assert bar.order.itemText(row) == strategy.title
        assert bar.order.itemData(row, Qt.ItemDataRole.ToolTipRole) == strategy.sentence


def test_reasons_of_the_orders_become_chips_with_a_sentence():
    for start in SAID:
        (chip,) = chips_of(f"{start} 12%", None)
        assert chip.text.startswith(start)
        assert chip.sentence == SAID[start]


def test_a_session_withholds_the_teachers_word_where_the_arm_says_so(session):
    session.plan()
    case_id = session.desk.queue[0]
    session.desk.take_plan([Choice(case_id, "", "no-proposal")], "zones")
    session.next()
    assert session.current.proposal is None
    assert not session.wants_proposals
    assert not session.take_proposal(case_id, probability(), "first-teacher")
    assert not np.any(session.mask)
    showing = last_showing(session.project, case_id, "Ada")
    assert (showing.arm, showing.strategy) == ("no-proposal", "zones")
