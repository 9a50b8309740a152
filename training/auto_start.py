"""When a round may be started, and when it starts by itself: a rule of plain values, and the project's wish.

PROJECT/auto_start.json   whether rounds start by themselves, and after how many new labels
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from training.config import read_settings
from training.errors import PoolError
from training.files import write_atomically
from training.network_config import Settings, choice, number
from training.pool import Project, Run
from training.pool.rounds import all_runs

FILE = "auto_start.json"
QUIET_SECONDS = (
    10.0  # Without a new label, before a round starts by itself: readers accept in bursts.
)
DECIDED = ("promoted", "refused", "lost")  # Outcomes after which there is nothing to resume.
ENGINE = ("torch", "lightning_fabric", "safetensors")
NOT_INSTALLED = "The engine is not installed: pip install napari-semimedref[engine]"


class AutoStart(Settings):
    """What a project wants of automatic rounds."""

    enabled: bool = choice(False, "Whether rounds start by themselves.")
    labels: int = number(20, 1, 10_000, 1, "New labels that a round needs.")


@dataclass(frozen=True)
class Standing:
    """What the rule looks at.

    Attributes
    ----------
    labeled : int
        Cases in the labeled pool now.
    run : Run or None
        The latest run.
    alive : bool
        Whether a round is under way.
    own : bool
        Whether it was started here.
    engine : bool
        Whether the trainer's libraries are installed.
    """

    labeled: int
    run: Run | None = None
    alive: bool = False
    own: bool = True
    engine: bool = True

    @property
    def new_labels(self) -> int:
        """Labels that the latest run did not see."""
        return max(0, self.labeled - (0 if self.run is None else self.run.labeled))


def why_not(standing: Standing, wanted: AutoStart) -> str:
    """Why no round can be started now, in one sentence; empty if one can."""
    name = "A round" if standing.run is None else f"Round {standing.run.id}"
    if not standing.engine:
        return NOT_INSTALLED
    if standing.alive:
        return f"{name} is under way." if standing.own else "Another window's round is under way."
    if not standing.labeled:
        return "Nothing is labeled yet: accept a few cases first."
    if wanted.enabled and standing.new_labels < wanted.labels:
        return too_few(standing, wanted.labels)
    return ""


def too_few(standing: Standing, needs: int) -> str:
    """How many labels are new, and how many are needed."""
    count, since = standing.new_labels, standing.run
    labels = f"{count} new label{'' if count == 1 else 's'}"
    return f"{labels}{'' if since is None else f' since round {since.id}'}; needs {needs}."


def starts_by_itself(
    standing: Standing, wanted: AutoStart, quiet_seconds: float, busy: bool = False
) -> bool:
    """Whether a round should start now without being asked.

    It never does while another one is under way, nor after one that somebody stopped or that failed: a person decides
    whether to resume that. Labels accepted during a round count for the next one.

    Parameters
    ----------
    quiet_seconds : float
        Since the last new label.
    busy : bool
        Whether the reader is in the middle of something that changes labels: an adjudication, an import.
    """
    settled = standing.run is None or standing.run.outcome in DECIDED
    quiet = quiet_seconds >= QUIET_SECONDS
    return wanted.enabled and settled and quiet and not busy and not why_not(standing, wanted)


def engine_installed() -> bool:
    """Whether the trainer's libraries can be found; none of them is imported."""
    return all(find_spec(name) is not None for name in ENGINE)


def refuse_too_few(project: Project, needs: int) -> None:
    """Refuse a round for which there are too few new labels.

    Raises
    ------
    PoolError
        Fewer than ``needs`` labels are new since the latest run.
    """
    runs = all_runs(project)
    standing = Standing(project.counts()["labeled"], runs[-1] if runs else None)
    if standing.new_labels < needs:
        raise PoolError(f"No round was started: {too_few(standing, needs)}")


def auto_start_of(project: Project) -> AutoStart:
    """What the project wants.

    Raises
    ------
    ConfigError
        The content of its file is damaged.
    PoolError
        Its file cannot be read.
    """
    path = project.folder / FILE
    if not path.exists():
        return AutoStart()
    return read_settings(AutoStart, path, "to start rounds by hand again")


def save_auto_start(project: Project, wanted: AutoStart) -> None:
    """Keep what the project wants; PoolError if the disk refuses."""
    content = wanted.model_dump_json(indent=1)
    write_atomically(project.folder / FILE, content, error_type=PoolError)
