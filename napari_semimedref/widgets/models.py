"""The models dock: which models there are, which one serves, and what may be done with them. Whether a model may serve
is the matter of `training.serving` and the gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QGridLayout, QMessageBox

from napari_semimedref.background import Work
from napari_semimedref.beside import Beside
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.model_dialogs import CardDialog, CompareDialog
from napari_semimedref.widgets.model_list import ModelList, name_of
from napari_semimedref.widgets.parts import button, sentence
from training.models.archive import export_model
from training.models.comparing import compare
from training.models.listing import ModelRow, card_of, filed_card, model_rows
from training.models.measuring import measure_model
from training.models.unpacking import import_model
from training.pool import Project
from training.pool.registry import earlier_models, promotions, roll_back
from training.round import freeze
from training.serving import let_serve

NO_MODELS = "There is no model yet. Each round leaves one, see Trainer; “Import…” brings in one of another project."
ZIP = "Model (*.zip)"
LOOK_MS = 100


class ModelsDock(Dock):
    """Lists the project's models, the newest first."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.rows: list[ModelRow] = []
        self.work: Work[Any] | None = None
        self._outcome = ""  # of what was done last; until something is chosen
        self._then: Callable[[Any], object] = lambda value: None
        self._beside = Beside(self)
        self._look = timer_for(self, LOOK_MS, self._look_at_work)
        self.news = sentence(muted=True, lines=2)
        self.list = ModelList()
        self.list.itemSelectionChanged.connect(self._on_choice)
        self.list.itemActivated.connect(lambda *_: self._card())  # Return, or a double click
        self.buttons = {
            "compare": button(
                "Compare…", self._compare, "Two chosen models, or one and the serving"
            ),
            "serve": button("Let serve…", self._serve, "Measure it; no worse, it serves proposals"),
            "back": button("Roll back…", self._roll_back, "The earlier model serves again"),
            "card": button("Card…", self._card, "Read the model's card, and save it to be filed"),
            "export": button(
                "Export…", self._export, "Write the model to a file for another project"
            ),
            "import": button("Import…", self._import, "Bring in a model of another project"),
        }
        self._lay_out()
        self.workspace.round_changed.connect(lambda _view: self.refresh())
        self.finish()

    def _lay_out(self) -> None:
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.news)
        grid = QGridLayout()
        for place, each in enumerate(self.buttons.values()):
            grid.addWidget(each, place // 3, place % 3)
        self.column.addLayout(grid)

    # -- what is shown -----------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The open project."""
        return self.workspace.session.project

    def on_project(self) -> None:
        """Show the models of the project that was opened."""
        self.rows = []
        self._show([])
        self.refresh()

    def refresh(self) -> None:
        """Read the list anew, beside the window."""
        if self.workspace.is_open:
            project = self.project
            self._beside.ask("rows", lambda: model_rows(project), self._show_if_new)

    def showEvent(self, event: Any) -> None:  # Qt's name
        """Catch up with what other windows and the command line did."""
        super().showEvent(event)
        self.refresh()

    def _show_if_new(self, rows: list[ModelRow]) -> None:
        if rows != self.rows:
            self._show(rows)

    def _show(self, rows: list[ModelRow]) -> None:
        self.rows = rows
        self.list.show_rows(rows)
        self.list.setVisible(bool(rows))
        self._show_choice()

    def _serving(self) -> ModelRow | None:
        return next((row for row in self.rows if row.state == "serving"), None)

    def _pair(self) -> list[ModelRow]:
        """The two to compare, the earlier one first."""
        chosen, serving = self.list.chosen(), self._serving()
        if len(chosen) == 1 and serving is not None and chosen[0] != serving:
            chosen = [serving, *chosen]
        return sorted(chosen, key=lambda row: row.model.created_at)

    def _on_choice(self) -> None:
        self._outcome = ""
        self._show_choice()

    def _tell(self, outcome: str) -> None:
        self._outcome = outcome
        self._show_choice()

    def _show_choice(self) -> None:
        chosen, busy = self.list.chosen(), self.work is not None
        one = chosen[0] if len(chosen) == 1 else None
        may = {
            "compare": len(self._pair()) == 2,
            "serve": one is not None and one.state in ("imported", "refused", "undecided"),
            "back": any(row.state == "served" for row in self.rows),
            "card": one is not None,
            "export": one is not None,
            "import": True,
        }
        for name, each in self.buttons.items():
            each.setEnabled(may[name] and not busy)
        if busy:
            return
        if self._outcome:
            self.news.setText(self._outcome)
        elif not self.rows:
            self.news.setText(NO_MODELS)
        elif one is not None:
            self.news.setText(one.reason or _what_next(one))
        else:
            self.news.setText("Choose a model, or two to compare them.")

    # -- what is done ------------------------------------------------------------------------------

    def _begin(self, words: str, act: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Do something slow in a thread; buttons wait for it."""
        project = self.project

        def take(value: Any) -> None:
            # Else nobody waits for it any more.
            if self.workspace.is_open and self.project is project:
                then(value)

        self.work, self._then = Work(lambda tell: act()), take
        self.news.setText(words)
        self._show_choice()
        self._look.start()

    def _look_at_work(self) -> None:
        work = self.work
        if work is None or work.running:
            return
        self._look.stop()
        self.work = None
        self._show_choice()
        if work.error:
            self._tell(work.error)
        else:
            self._then(work.value)
        self.refresh()

    def _compare(self) -> None:
        one, two = self._pair()
        project = self.project

        def show(halves: Any) -> None:
            CompareDialog((name_of(one), name_of(two)), halves, self).open()

        self._begin(
            f"Comparing {name_of(one)} and {name_of(two)} on the holdout.",
            lambda: compare(project, one.model, two.model, freeze(project), measure_model),
            show,
        )

    def _serve(self) -> None:
        (row,) = self.list.chosen()
        project = self.project
        self._begin(
            f"Measuring {name_of(row)} on the holdout; its pseudo-masks are made, too.",
            lambda: let_serve(project, row.model),
            lambda served: self._tell(served.decision.sentence),
        )

    def _roll_back(self) -> None:
        target = self._target()
        if target is None:
            self._tell("No model served before this one: there is nothing to go back to.")
            return
        question = (
            f"{name_of(target)} will serve proposals again, with the pseudo-masks it made. Accepted masks stay as they "
            "are, and so does every model: you can come back to this one."
        )
        if self._agreed(f"Roll back to {name_of(target)}?", question):
            with self.workspace.attempt():
                roll_back(self.project, self.workspace.session.desk.reader, target.model)
                self._tell(f"{name_of(target)} serves again.")
            self.refresh()

    def _target(self) -> ModelRow | None:
        """The chosen model if it served before, else the one before the serving one."""
        chosen = self.list.chosen()
        if len(chosen) == 1 and chosen[0].state == "served":
            return chosen[0]
        before = earlier_models(promotions(self.project))
        return next((row for row in self.rows if before and row.model.id == before[0]), None)

    def _agreed(self, title: str, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.Cancel
        return QMessageBox.question(self, title, question, yes | no, no) == yes

    def _card(self) -> None:
        chosen = self.list.chosen()
        if len(chosen) == 1:
            with self.workspace.attempt():
                model = chosen[0].model
                CardDialog(model.id, filed_card(model), self).open()

    def _export(self) -> None:
        (row,) = self.list.chosen()
        name = f"{self.project.folder.name}-{row.model.id}.zip"
        target, _ = QFileDialog.getSaveFileName(self, "Export the model", name, ZIP)
        if target:
            self.export_to(row, Path(target))

    def export_to(self, row: ModelRow, target: Path) -> None:
        """Write a model to a file."""
        words = f"{target.name} is written. It lists the words of this project's descriptions."
        self._begin(
            f"Writing {target.name}.",
            lambda: export_model(row.model, card_of(row.model), target),
            lambda _digest: self._tell(words),
        )

    def _import(self) -> None:
        source, _ = QFileDialog.getOpenFileName(self, "Import a model", "", ZIP)
        if source:
            self.import_from(Path(source))

    def import_from(self, source: Path) -> None:
        """Bring in a model's file."""
        project = self.project
        self._begin(
            f"Reading {source.name}.",
            lambda: import_model(project, source),
            lambda model: self._tell(
                f"{model.id} is here. “Let serve…” measures it; no worse, it serves proposals."
            ),
        )


def _what_next(row: ModelRow) -> str:
    if row.state == "imported":
        return f"From {row.model.origin}. “Let serve…” measures it on this project's holdout."
    if row.state == "undecided":
        return (
            "Its round has not ended: resume it, or let the model face the gate with “Let serve…”."
        )
    return f"Model {row.model.id}."
