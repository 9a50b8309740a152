from __future__ import annotations

import json

from training.events import EventTail, EventWriter, RunStatus, fold


def follow(events):
    status = RunStatus()
    for event in events:
        status = fold(status, event)
    return status


def test_what_is_written_is_read_once_and_in_order(tmp_path):
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    assert tail.read_new() == []
    writer = EventWriter(path, clock=lambda: 5.0)
    writer.write("phase", name="burn-in")
    writer.write("progress", step=1, loss=0.5)
    assert tail.read_new() == [
        {"time": 5.0, "kind": "phase", "name": "burn-in"},
        {"time": 5.0, "kind": "progress", "step": 1, "loss": 0.5},
    ]
    assert tail.read_new() == []


def test_a_half_written_line_waits_for_its_end(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind": "phase", "na')
    tail = EventTail(path)
    assert tail.read_new() == []
    with path.open("a") as stream:
        stream.write('me": "burn-in"}\n')
    assert tail.read_new() == [{"kind": "phase", "name": "burn-in"}]


def test_a_resumed_writer_starts_a_new_line_after_a_torn_one(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind": "pha')
    EventWriter(path).write("phase", name="burn-in")
    assert [event["name"] for event in EventTail(path).read_new()] == ["burn-in"]


def test_damaged_lines_are_skipped(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'nonsense\n[1]\n\xff\xfe\n{"kind": "finished", "seconds": 60}\n')
    assert [event["kind"] for event in EventTail(path).read_new()] == ["finished"]


def test_numbers_that_are_not_finite_are_left_out(tmp_path):
    path = tmp_path / "events.jsonl"
    EventWriter(path).write("progress", step=1, loss=float("nan"), lr=0.1)
    event = json.loads(path.read_text())
    assert "loss" not in event
    assert event["lr"] == 0.1


def test_a_run_is_followed_from_start_to_finish():
    metrics = dict.fromkeys(("dice_global", "dice_per_image", "iou_global", "iou_per_image"), 0.5)
    status = follow(
        [
            {"kind": "started", "pid": 7, "device": "cpu", "steps_planned": 20, "labeled": 3},
            {"kind": "phase", "name": "burn-in"},
            {"kind": "progress", "step": 4, "loss": 0.7, "seconds_left": 9.5, "time": 11.0},
            {"kind": "evaluation", "step": 4, "half": "gate", "role": "teacher", **metrics},
            {"kind": "warning", "sentence": "Odd."},
        ]
    )
    assert (status.state, status.phase, status.step, status.pid) == ("running", "burn-in", 4, 7)
    assert (status.seconds_left, status.last_event_time) == (9.5, 11.0)
    assert status.progress["loss"] == 0.7
    assert status.evaluations[0].dice_global == 0.5
    assert status.warnings == ("Odd.",)
    assert status.sentence == "Burn-in: step 4 of 20."
    assert fold(status, {"kind": "finished", "seconds": 60}).state == "finished"
    assert fold(status, {"kind": "stopped", "step": 5}).step == 5
    assert fold(status, {"kind": "failed", "sentence": "No."}).sentence == "No."


def test_unknown_kinds_and_incomplete_events_change_nothing_else():
    status = RunStatus(step=3)
    assert fold(status, {"kind": "weather"}) == status
    assert fold(status, {"kind": "evaluation", "step": 1}) == status
    assert fold(status, {}) == status
