"""Twenty rounds with imports, acceptances, second readings and adjudications: what is held out stays held out."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import incoming, spot

from training.errors import PoolError
from training.pool import Case, Project
from training.pool.adjudication import adjudicate, contested_cases
from training.pool.audit import audit
from training.pool.importing import import_cases
from training.pool.second_reading import ask_second_reading
from training.round import freeze
from training.snapshot import Snapshot

ROUNDS = 20
SIZE = 32
COMING = st.tuples(
    st.sampled_from([None, "training", "holdout", "gate", "report"]),
    st.integers(0, 30),  # the patient: new films of known ones come, too
    st.booleans(),  # labeled
)
PICK = st.integers(0, 10_000)
EVENT = st.one_of(
    st.tuples(st.just("import"), st.lists(COMING, min_size=1, max_size=4)),
    st.tuples(st.just("accept"), PICK),
    st.tuples(st.just("accept_stale"), PICK),  # readers disagree
    st.tuples(st.just("read_again"), PICK),
    st.tuples(st.just("adjudicate"), PICK),
)


class Life:
    """A project, and which side each patient was first seen on."""

    def __init__(self, folder: Path) -> None:
        self.project = Project.create(folder)
        self.born = 0
        self.side_of: dict[str, str] = {}
        self.trained_patients: set[str] = set()
        self.held_cases: dict[str, str] = {}

    def let(self, kind: str, what) -> None:
        """Let something happen; what the pool refuses, it refuses."""
        with contextlib.suppress(PoolError):
            getattr(self, f"_{kind}")(what)

    def _import(self, cases) -> None:
        coming = []
        for split, patient, labeled in cases:
            made = incoming(self.born, labeled=labeled, split=split, size=SIZE)
            coming.append(replace(made, patient=f"patient_{patient:03d}"))
            self.born += 1
        import_cases(self.project, coming)  # what would tear a patient apart is refused

    def _case(self, pick: int) -> Case:
        cases = self.project.cases()  # of the holdout, too: that is how it gets its masks
        return cases[pick % len(cases)]

    def _accept(self, pick: int, *, stale: bool = False, reading: str = "open") -> None:
        case = self._case(pick)
        self.project.accept(
            case.id,
            spot(bool(pick % 2), SIZE),
            case.description,
            ["Ada", "Bo", "Cy"][pick % 3],
            source="drawn",
            started_from=None if stale else case.revision_id,
            reading=reading,
        )

    def _accept_stale(self, pick: int) -> None:
        self._accept(pick, stale=True)

    def _read_again(self, pick: int) -> None:
        ask_second_reading(self.project, [self._case(pick).id])
        self._accept(pick, reading="blind")

    def _adjudicate(self, pick: int) -> None:
        waiting = contested_cases(self.project)
        if waiting:
            case = waiting[pick % len(waiting)]
            revisions = self.project.revisions(case.id)
            adjudicate(self.project, case.id, "Dee", revisions[pick % len(revisions)].id)

    def check(self) -> Snapshot:
        """Start a round, as far as its snapshot, and hold it against all that was before."""
        snapshot = freeze(self.project)
        trained, halves = snapshot.labeled + snapshot.unlabeled, (snapshot.gate, snapshot.report)
        self.trained_patients |= {case.patient for case in trained}
        gate, report = ({case.patient for case in half} for half in halves)
        assert not gate & report
        assert not (gate | report) & self.trained_patients
        for name, half in zip(("gate", "report"), halves, strict=True):
            for case in half:
                assert self.held_cases.setdefault(case.case_id, name) == name
        assert not set(self.held_cases) & {case.case_id for case in trained}
        for case in self.project.cases():
            side = case.pool if case.is_holdout else "training"
            assert self.side_of.setdefault(case.patient, side) == side
        return snapshot


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(EVENT, min_size=1, max_size=3), min_size=ROUNDS, max_size=ROUNDS))
def test_over_twenty_rounds_the_holdout_never_leaks(rounds):
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder) / "project")
        life.let("import", [(None, patient, patient < 6) for patient in range(12)])
        for events in rounds:
            for kind, what in events:
                life.let(kind, what)
            snapshot = life.check()
        assert snapshot.unlabeled or snapshot.labeled
        assert audit(life.project).problems == ()
        life.project.close()
