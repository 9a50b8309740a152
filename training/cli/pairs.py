"""The command about pairs of films that readers called nonsense to mix."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from training.cli.options import ProjectFolder
from training.errors import PoolError
from training.pool import Project
from training.pool.pairs import PairReport, nonsense_pairs, pair_log, report_pair, withdraw_pair

PairOf = Annotated[
    tuple[str, str] | None, typer.Option(metavar="CASE CASE", help="The two cases' ids.")
]


def pairs(
    project: ProjectFolder,
    add: PairOf = None,
    remove: PairOf = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List what was taken back, too.")
    ] = False,
    reader: Annotated[str, typer.Option(help="Who says so.")] = "",
    reason: Annotated[str, typer.Option(help="Why, if you like.")] = "",
) -> None:
    """List the pairs of films that training never mixes, add one (--add) or take one back (--remove)."""
    pool = Project.open(project)
    if add is not None and remove is not None:
        raise PoolError("A pair cannot be added and removed at once: give --add or --remove.")
    if add is not None or remove is not None:
        if not reader.strip():
            raise PoolError("Say who decides: --reader NAME.")
        said = (
            report_pair(pool, *add, reader, reason)
            if add is not None
            else withdraw_pair(pool, *(remove or ("", "")), reader, reason)
        )
        how = "are never mixed" if said.verdict == "nonsense" else "may be mixed again"
        print(f"{said.case_id} and {said.partner_id} {how} from the next snapshot on.")
        return
    for each in pair_log(pool) if everything else nonsense_pairs(pool):
        print(f"  {_line(each)}")
    print(f"{len(nonsense_pairs(pool))} pairs are never mixed.")


def _line(report: PairReport) -> str:
    time = datetime.fromisoformat(report.created_at).astimezone()
    reason = f": {report.reason}" if report.reason else ""
    said = "called nonsense" if report.verdict == "nonsense" else "taken back"
    return f"{report.case_id} {report.partner_id}  {said} by {report.reader}, {time:%Y-%m-%d %H:%M}{reason}"
