"""Phantom cases as incoming cases: what ``semimedref phantom`` puts into a project."""

from __future__ import annotations

from collections.abc import Iterator

from training.phantom import PhantomConfig, make_case
from training.pool.records import IncomingCase


def read_phantom(
    config: PhantomConfig, cases: int, seed: int, labels: float
) -> Iterator[IncomingCase]:
    """Make phantom cases one at a time.

    Parameters
    ----------
    labels : float in [0, 1]
        Share of the cases, spread evenly over them, whose masks come in accepted; all others are withheld as hidden
        references. The holdout has its masks either way.
    """
    for index in range(cases):
        case = make_case(config, seed, index)
        labeled = int((index + 1) * labels) > int(index * labels)
        yield IncomingCase(
            name=case.name,
            image=case.image,
            description=case.description,
            patient=case.patient,
            mask=case.mask if labeled else None,
            hidden_mask=None if labeled else case.mask,
        )
