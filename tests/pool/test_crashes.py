"""Killed at random, again and again, the pool keeps every promise it made."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from nursery import child
from workers import accept_often, read_promises, work_without_pause

from training.pool import Project, schema
from training.pool.audit import audit

LONGEST_LIFE = 0.8  # seconds from the start of a process to its death, drawn uniformly


def kill_again_and_again(project: Project, promises: Path, kills: int) -> int:
    """Let a process work, kill it at a random instant, and start the next; return how many promises were made."""
    rng = np.random.default_rng(kills)
    for number in range(kills):
        process = child(work_without_pause, str(project.folder), str(promises), number)
        process.start()
        time.sleep(rng.uniform(0, LONGEST_LIFE))
        assert process.is_alive(), "the worker ended by itself"
        process.kill()
        process.join()
    return check_promises(project, promises)


def check_promises(project: Project, promises: Path) -> int:
    """Every promised revision and case is there as promised, every file readable, every row in order."""
    made = read_promises(promises)
    table = schema.revisions
    with project.reading() as connection:
        kept = {row.id: row for row in connection.execute(sa.select(table))}
        cases = set(connection.scalars(sa.select(schema.cases.c.id)))
    for promise in made:
        if "imported" in promise:
            assert promise["imported"] in cases
        else:
            row = kept[promise["revision"]]
            found = (row.case_id, row.mask, row.description, row.digest)
            assert found == tuple(promise[name] for name in ("case", "mask", "words", "digest"))
    assert audit(project).problems == ()
    return len(made)


@pytest.mark.parametrize(
    "kills", [10, pytest.param("full", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_nothing_promised_is_lost_when_the_process_is_killed(
    pool, request, tmp_path, kills, record_property
):
    server = pool.engine.dialect.name == "postgresql"
    count = (50 if server else 200) if kills == "full" else (5 if server else 20)
    made = kill_again_and_again(pool, tmp_path / "promises", count)
    record_property("kills", count)
    record_property("promises", made)
    assert made > count


def run_side_by_side(processes: int, target: Callable, *arguments: object) -> None:
    """Run ``target(*arguments, reader, seed)`` in several processes at once; each has to end well."""
    workers = [child(target, *arguments, number) for number in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * processes


def accept_as(folder: str, promises: str, times: int, number: int) -> None:
    accept_often(folder, promises, f"reader {number}", times, number)


@pytest.mark.parametrize(
    ("processes", "times"),
    [(4, 15), pytest.param(8, 200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_processes_that_accept_at_once_lose_nothing_and_overwrite_nothing_silently(
    pool, tmp_path, processes, times, record_property
):
    before = {case.id: case.revisions for case in pool.cases()}
    started = time.perf_counter()
    run_side_by_side(processes, accept_as, str(pool.folder), str(tmp_path / "promises"), times)
    record_property("seconds", round(time.perf_counter() - started, 1))
    assert check_promises(pool, tmp_path / "promises") == processes * times

    with pool.reading() as connection:
        disputed = set(connection.scalars(sa.select(schema.disputes.c.revision_id)))
    record_property("disputed", len(disputed))
    total = 0
    for case in pool.cases():
        revisions = {revision.id: revision for revision in pool.revisions(case.id)}
        total += len(revisions) - before[case.id]
        ancestors, at = set(), case.revision_id
        while at is not None:
            ancestors.add(at)
            at = revisions[at].parent_id
        overruled = set(revisions) - ancestors
        assert overruled <= disputed, "a revision was overruled without a word"
        assert case.contested == bool(overruled)
    assert total == processes * times
