"""The settings of a project's next round: its own, and in place of their views those that a reader chose to try.

PROJECT/config.json       the project's settings
PROJECT/next_views.json   views chosen in the views dock; they hold until somebody goes back to the project's
"""

from __future__ import annotations

from pathlib import Path

from training.config import RunConfig, ViewsConfig, preset, read_settings
from training.errors import PoolError
from training.files import sentence_for, write_atomically
from training.pool import Project

CONFIG = "config.json"
VIEWS = "next_views.json"


def project_config(project: Project) -> RunConfig:
    """The project's own settings: its ``config.json``, or the default preset."""
    path = project.folder / CONFIG
    return RunConfig.load(path) if path.exists() else preset("default")


def next_config(project: Project) -> RunConfig:
    """The settings of the project's next round: its own, with the chosen views if there are any."""
    config, views = project_config(project), chosen_views(project)
    return config if views is None else config.model_copy(update={"views": views})


def save_next_config(project: Project, config: RunConfig) -> None:
    """Keep the project's own settings; PoolError if the disk refuses."""
    content = config.model_dump_json(indent=1)
    write_atomically(project.folder / CONFIG, content, error_type=PoolError)


def chosen_views(project: Project) -> ViewsConfig | None:
    """The views that a reader chose for the next round; None while the project's own hold.

    Raises
    ------
    ConfigError
        The content of their file is damaged.
    PoolError
        Their file cannot be read.
    """
    path = _views_file(project)
    if not path.exists():
        return None
    return read_settings(ViewsConfig, path, "to go back to the project's settings")


def choose_views(project: Project, views: ViewsConfig) -> None:
    """Let the next round use these views, until `forget_views`; PoolError if the disk refuses."""
    write_atomically(_views_file(project), views.model_dump_json(indent=1), error_type=PoolError)


def forget_views(project: Project) -> None:
    """Go back to the views of the project's own settings.

    Raises
    ------
    PoolError
        The file of the chosen views cannot be removed.
    """
    path = _views_file(project)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise PoolError(sentence_for(error, path)) from error


def changed_views(project: Project) -> dict[str, tuple[object, object]]:
    """Which of the chosen views differ from the project's own: name to (own, chosen)."""
    views = chosen_views(project)
    if views is None:
        return {}
    own, chosen = project_config(project).views.model_dump(), views.model_dump()
    return {name: (own[name], chosen[name]) for name in own if own[name] != chosen[name]}


def _views_file(project: Project) -> Path:
    return project.folder / VIEWS
