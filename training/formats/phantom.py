"""Phantom cases as incoming cases, as ``semimedref phantom`` puts them into a project, and as the snapshot of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from training.phantom import PhantomCase, PhantomConfig, make_case
from training.pool.records import IncomingCase
from training.snapshot import Snapshot, SnapshotCase


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


def phantom_snapshot(
    folder: Path,
    config: PhantomConfig,
    seed: int,
    labeled: int,
    unlabeled: int,
) -> Snapshot:
    """Write phantom films to ``folder`` and list them as a run reads them, without a project.

    Parameters
    ----------
    labeled, unlabeled : int
        Cases of each pool; the two share no patient.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pools: dict[str, tuple[SnapshotCase, ...]] = {}
    first = 0
    for name, count in (("labeled", labeled), ("unlabeled", unlabeled)):
        numbers = range(first, first + count)
        cases = (make_case(config, seed, index) for index in numbers)
        pools[name] = tuple(_write(folder, case, name != "unlabeled") for case in cases)
        first = numbers.stop + numbers.stop % 2  # Patients have neighboring films 2k and 2k + 1.
    return Snapshot(root=str(folder.resolve()), laterality=config.laterality, **pools)


def _write(folder: Path, case: PhantomCase, with_mask: bool) -> SnapshotCase:
    image, mask = f"{case.name}.png", f"{case.name}_mask.png"
    Image.fromarray(case.image).save(folder / image)
    if with_mask:
        Image.fromarray(case.mask * 255).save(folder / mask)
    return SnapshotCase(
        case_id=case.name,
        patient=case.patient,
        image=image,
        description=case.description,
        mask=mask if with_mask else None,
    )
