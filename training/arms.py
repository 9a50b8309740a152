"""The arms of a review queue: a share drawn at random as a control, cases shown without a proposal, planted proposals.

The shares are a project's own (``PROJECT/arms.json``); readers are not told to which arm a case belongs. A planted
proposal is wrong on purpose: whoever accepts it almost as it is has not looked. Such an acceptance is kept like any
other, but never becomes the reference (`training.pool.accepting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from pydantic import model_validator

from training.acquisition import Candidate, Choice
from training.config import read_settings
from training.errors import ConfigError, PoolError
from training.files import write_atomically
from training.metrics import overlap
from training.network_config import Settings, number
from training.pool import Case, Project, schema
from training.pool.records import Proposal
from training.pool.rounds import read_probability
from training.pool.showings import Arm, last_showing

FILE = "arms.json"
BLOCK = 10  # places among which a share is spread evenly
MIRRORED_AT_MOST = 0.5  # Dice up to which a mirrored proposal counts as wrong
SURVIVED = 0.9  # Dice to a planted proposal from which it was let stand
JUDGES = "Holdout cases judge the teacher: what it sees in them is not shown."
MEASURED_MIXES = (
    "This project measures how readers take proposals: views mix cases, and would show what the teacher "
    "sees in those that wait."
)
MEASURED = "This project measures how readers take proposals: the teacher shows a case once it is accepted."


class Arms(Settings):
    """Shares of the queue."""

    control: float = number(0.1, 0, 1, 0.05, "Share drawn at random from all waiting cases.")
    no_proposal: float = number(0.0, 0, 1, 0.05, "Share shown without a proposal.")
    planted: float = number(
        0.0, 0, 0.5, 0.01, "Share shown with a proposal that is wrong on purpose."
    )

    @model_validator(mode="after")
    def _fit(self) -> Arms:
        if self.control + self.no_proposal + self.planted > 1:
            raise ConfigError("The arms' shares exceed the whole queue: lower one of them.")
        return self


def arms_of(project: Project) -> Arms:
    """The project's shares; the usual ones where it keeps none.

    Raises
    ------
    ConfigError
        The content of their file is damaged.
    PoolError
        Their file cannot be read.
    """
    path = project.folder / FILE
    return read_settings(Arms, path, "for the usual shares") if path.exists() else Arms()


def save_arms(project: Project, arms: Arms) -> None:
    """Keep the project's shares; PoolError if the disk refuses."""
    content = arms.model_dump_json(indent=1)
    write_atomically(project.folder / FILE, content, error_type=PoolError)


def why_silent(project: Project, case: Case, *, with_others: bool = False) -> str:
    """Why the teacher itself is not asked about a case at present, beyond its proposal; empty if it may be.

    The same for every waiting case of a project that withholds or plants proposals, so that none is told apart.

    Parameters
    ----------
    with_others : bool
        Whether the answer also shows what the teacher sees in other cases, as views do, which mix.

    Raises
    ------
    ConfigError, PoolError
        The project's shares cannot be read.
    """
    if case.is_holdout:
        return JUDGES
    if case.pool != "unlabeled" and not with_others:
        return ""
    arms = arms_of(project)
    if not (arms.planted or arms.no_proposal):
        return ""
    return MEASURED_MIXES if with_others else MEASURED


def mix_arms(
    chosen: Sequence[Choice],
    pool: Sequence[Candidate],
    arms: Arms,
    rng: np.random.Generator,
    explain: Callable[[Sequence[Candidate]], Sequence[Choice]],
) -> list[Choice]:
    """Put control cases between the chosen ones and mark those shown otherwise.

    Parameters
    ----------
    chosen : sequence of Choice
        What the strategy chose, in order.
    pool : sequence of Candidate
        All that wait; control cases are drawn from these, whatever the strategy thinks of them.
    explain : callable
        Gives control cases the reasons that the strategy would give, so that they cannot be told apart.
    """
    by_id = {case.case_id: case for case in pool}
    plan = _kinds(arms, rng)
    kinds = [next(plan) for _ in chosen]
    drawn = rng.permutation(len(pool))[: kinds.count("control")]
    control = [pool[i] for i in drawn]
    reasons = {choice.case_id: choice.reason for choice in explain(control)}
    taken = set(reasons)
    rest = iter([choice for choice in chosen if choice.case_id not in taken])
    controls = iter(control)
    mixed: list[Choice] = []
    for kind in kinds:
        if kind == "control":
            case_id = next(controls).case_id
            mixed.append(Choice(case_id, reasons[case_id], "control"))
            continue
        choice = next(rest, None)
        if choice is not None:
            proposed = by_id[choice.case_id].entropy is not None
            mixed.append(replace(choice, arm=kind) if proposed else choice)
    return mixed + list(rest)


def _kinds(arms: Arms, rng: np.random.Generator) -> Iterator[str]:
    """Arms place by place; in every ten places each has its share, up to a rounding that is drawn."""
    shares = {
        "control": arms.control,
        "no-proposal": arms.no_proposal,
        "planted": arms.planted,
    }
    while True:
        block: list[str] = []
        for arm, share in shares.items():
            whole, part = divmod(round(share * BLOCK, 9), 1)
            block += [arm] * (int(whole) + int(rng.random() < part))
        block = (block + ["strategy"] * BLOCK)[:BLOCK]
        yield from (block[i] for i in rng.permutation(BLOCK))


def plant(
    project: Project, proposal: Proposal, probability: NDArray[np.float32], threshold: float
) -> NDArray[np.float32] | None:
    """A wrong proposal in place of the teacher's: mirrored, or where that is no other, another case's.

    Parameters
    ----------
    probability : (h, w) float32 in [0, 1]
    threshold : float
        Probability from which a pixel counts as foreground.

    Returns
    -------
    (h, w) float32 in [0, 1] or None
        The same for the same proposal at any time. None if nothing wrong enough can be had.
    """
    mask = probability >= threshold
    mirrored = probability[:, ::-1]
    if mask.any() and overlap(mirrored >= threshold, mask).dice <= MIRRORED_AT_MOST:
        return np.ascontiguousarray(mirrored)
    table = schema.proposals
    elsewhere = (
        sa.select(table)
        .where(table.c.model_id == proposal.model_id, table.c.zones != 0)
        .where(table.c.zones.bitwise_and(proposal.zones or 0) == 0)
        .order_by(table.c.case_id > proposal.case_id, table.c.case_id)
        .limit(1)
    )
    with project.reading() as connection:
        row = connection.execute(elsewhere).first()
    other = None if row is None else read_probability(project, Proposal(**row._mapping))
    if other is None or not (other >= threshold).any():
        return None
    return other


def arm_to_show(
    project: Project, case: Case, reader: str, planned: tuple[Choice, str] | None
) -> Arm:
    """The arm in which a case comes to a reader's desk: the queue's, or what they have seen of it before.

    A case that was accepted and waits all the same (its proposal was planted) is shown as it is.
    """
    if case.pool != "unlabeled":
        return "strategy"
    before = last_showing(project, case.id, reader)
    if before is not None:
        return before.arm if before.revision_id is None else "strategy"
    return "strategy" if planned is None else cast(Arm, planned[0].arm)


def let_stand(dice_to_proposal: float | None, pixels_changed: int | None) -> bool:
    """Whether a mask is the planted proposal, or nearly."""
    return pixels_changed == 0 or (dice_to_proposal or 0.0) >= SURVIVED
