"""Models are kept with their cards, serve, are rolled back to, compared, and measured anew when the holdout changed."""

from __future__ import annotations

import contextlib
import json
import shutil

import numpy as np
import pytest
from fake_runs import finished_run, write_figures
from made import incoming, small_project, spot, tiny_round

from training.adopting import adopt
from training.errors import EngineError, PoolError
from training.models.card import zone_definition
from training.models.comparing import compare
from training.models.document import document
from training.models.listing import card_of, filed_card, model_rows
from training.models.measured import Measured, measured_in, read_measured, write_measured
from training.models.measuring import settings_of
from training.pool.importing import import_cases
from training.pool.records import SCRIPTED_READER
from training.pool.registry import all_models, find_model, promotions, roll_back
from training.pool.rounds import all_runs, proposals_of, read_proposal, serving_model
from training.review import ReviewDesk
from training.round import freeze, start_run
from training.rundir import RunFolder
from training.serving import let_serve


@pytest.fixture
def project(tmp_path):
    made = small_project(tmp_path / "project", holdout=12)
    yield made
    made.close()


def says(project, right: float = 1.0, seed: int = 0):
    """Masks for all cases: the reference with this share of the pixels of its rows, plus noise at the border."""
    said = {}
    for number, case in enumerate(project.cases()):
        mask = spot(int(case.id[-3:]) % 2 == 0)
        rows = np.flatnonzero(mask.any(axis=1))
        keep = round(len(rows) * right) - (number + seed) % 2
        mask[rows[max(keep, 1) :]] = 0
        said[case.id] = mask
    return said


def taught(project, right, seed):
    return adopt(project, finished_run(project, says(project, right, seed), seed))


class Engine:
    """In the engine's place: measures a model by what it is known to say."""

    def __init__(self, said):
        self.said, self.asked = said, []

    def __call__(self, project, model, snapshot) -> Measured:
        with self.folder(project, model, snapshot) as folder:
            return measured_in(folder)

    @contextlib.contextmanager
    def folder(self, project, model, snapshot, predict=False):
        self.asked.append((model.id, predict))
        number = len(self.asked)
        folder = RunFolder.create(
            project.folder / f"by_hand_{number}", settings_of(model), snapshot
        )
        write_figures(project, folder, snapshot, self.said)
        write_measured(model.folder, measured_in(folder))
        yield folder


def test_teacher_and_student_of_every_round_are_kept_with_a_card(project):
    outcome = taught(project, 0.7, 1)
    model = serving_model(project)
    assert {path.name for path in model.folder.iterdir()} >= {
        "teacher.safetensors",
        "student.safetensors",
        "card.json",
        "config.json",
        "measured.json",
    }
    card, snapshot = card_of(model), RunFolder.open(outcome.run.folder).read_snapshot()
    assert json.loads((model.folder / "card.json").read_text()) == model.card
    assert (card.model, card.round, card.parent) == (model.id, 1, None)
    assert card.data.snapshot == snapshot.digest()
    assert card.data.cases == {"labeled": 4, "unlabeled": 6, "gate": 6, "report": 6}
    assert card.data.labeled_zones == {"Lu": 0, "Lm": 0, "Ll": 2, "Ru": 2, "Rm": 0, "Rl": 0}
    assert card.data.masks_from == {"import": 4}
    assert (card.laterality, card.zones) == ("image", zone_definition())
    assert card.code["version"]
    for half in ("gate", "report"):
        figure = card.scores[half]["teacher"]["dice_per_image"]
        assert figure.low <= figure.value <= figure.high
        assert figure.value == pytest.approx(
            outcome.scores[half]["teacher"]["dice_per_image"], abs=1e-4
        )


def test_a_card_says_whose_masks_were_learned_from(project):
    waiting = [case.id for case in project.cases("unlabeled")]
    for case_id, reader in zip(waiting, ("Ada", "Ada", SCRIPTED_READER), strict=False):
        project.accept(case_id, spot(True), "Unilateral.", reader, source="drawn")
    brought = project.cases("labeled")[0]
    project.accept(
        brought.id, project.read_reference_mask(brought.id), "Other words.", "Ada", source="drawn"
    )
    card = card_of(taught(project, 0.7, 1).model)
    assert card.data.masks_from == {"import": 4, "people": 2, "script": 1}
    filed = document(card)
    assert "Ada" not in card.text() + filed
    assert (
        "2 by readers of the project, 4 that came with an import, 1 by a scripted reader" in filed
    )


@pytest.mark.parametrize(
    ("burn_in", "words"),
    [(3, "learned from after step 3"), (4, "lasted for all of its steps"), (None, "")],
    ids=["used", "not used", "of an earlier version"],
)
def test_a_card_says_from_when_on_unlabeled_films_were_used(project, burn_in, words):
    card = card_of(taught(project, 0.7, 1).model).model_copy(update={"burn_in": burn_in})
    assert words in document(card)
    assert ("Unlabeled films were" in document(card)) == bool(words)


def test_a_card_names_no_case_no_patient_and_no_folder(project):
    model = taught(project, 0.7, 1).model
    text = json.dumps(model.card)
    assert "case_" not in text
    assert "patient_" not in text
    assert str(project.folder.parent) not in text


def test_a_round_that_starts_from_the_serving_teacher_names_its_parent(project):
    first = taught(project, 0.6, 1).model
    second = taught(project, 0.9, 2).model
    assert card_of(second).parent == first.id
    fresh = tiny_round().model_copy(
        update={"training": tiny_round().training.model_copy(update={"warm_start": False})}
    )
    run = start_run(project, fresh)
    assert RunFolder.open(run.folder).read_config().init_from is None


def test_a_refused_teacher_is_kept_and_the_list_says_why(project):
    first, second = taught(project, 0.9, 1), taught(project, 0.3, 2)
    assert second.state == "refused"
    new, old = model_rows(project)
    assert (new.state, old.state) == ("refused", "serving")
    assert (new.name, new.labeled, new.half) == ("round 2", 4, "report")
    assert "worse than the serving teacher" in new.reason
    assert old.scores.dice_per_image > new.scores.dice_per_image
    assert old.model.id == first.model.id
    assert "Dice" in promotions(project)[0].reason


def test_models_outlive_the_folders_of_their_runs(project):
    first, second = taught(project, 0.6, 1).model, taught(project, 0.8, 2).model
    for run in all_runs(project):
        shutil.rmtree(run.folder)
    assert serving_model(project).id == second.id
    assert read_proposal(project, "case_004")[1].any()
    assert {row.model.id: row.state for row in model_rows(project)} == {
        first.id: "served",
        second.id: "serving",
    }
    assert second.id in filed_card(second)
    assert taught(project, 1.0, 3).state == "promoted"
    assert roll_back(project, "Ada").id == second.id


def test_rolling_back_brings_the_earlier_teacher_and_its_proposals_and_no_mask_changes(project):
    first = taught(project, 0.6, 1).model
    before = read_proposal(project, "case_004")[1]
    second = taught(project, 1.0, 2).model
    project.accept("case_005", spot(False), "Right.", "Ada", source="drawn", started_from=None)
    masks = {case.id: (case.mask, case.revisions) for case in project.cases()}
    assert roll_back(project, "Ada").id == first.id
    assert serving_model(project).id == first.id
    assert set(proposals_of(project, first)) >= {"case_004"}
    assert (read_proposal(project, "case_004")[1] == before).all()
    assert masks == {case.id: (case.mask, case.revisions) for case in project.cases()}
    last = promotions(project)[-1]
    assert (last.reader, last.reason) == ("Ada", f"Rolled back by Ada from model {second.id}.")
    assert {row.model.id: row.state for row in model_rows(project)} == {
        first.id: "serving",
        second.id: "served",
    }


def test_rolling_back_again_and_again_goes_further_back_and_ends_with_a_sentence(project):
    ids = [taught(project, right, n).model.id for n, right in enumerate((0.4, 0.7, 1.0))]
    assert [roll_back(project, "Ada").id for _ in range(2)] == [ids[1], ids[0]]
    with pytest.raises(PoolError, match="nothing to go back to"):
        roll_back(project, "Ada")
    assert roll_back(project, "Ada", find_model(project, ids[2])).id == ids[2]  # forward again


def test_one_cannot_roll_back_to_what_never_served_or_is_gone(project):
    with pytest.raises(PoolError, match="nothing to roll back"):
        roll_back(project, "Ada")
    first = taught(project, 0.9, 1).model
    refused = taught(project, 0.2, 2).model
    with pytest.raises(PoolError, match="never served"):
        roll_back(project, "Ada", refused)
    taught(project, 1.0, 3)
    with pytest.raises(PoolError, match="Say who"):
        roll_back(project, " ", first)
    (first.folder / "teacher.safetensors").unlink()
    with pytest.raises(PoolError, match=r"weights of model .* are missing"):
        roll_back(project, "Ada")
    assert len(promotions(project)) == 2


def test_the_serving_teacher_is_measured_anew_when_the_holdout_grew_or_a_mask_changed(project):
    good = taught(project, 0.8, 1).model
    engine = Engine(says(project, 0.8, 1))
    adopt(project, finished_run(project, says(project, 1.0, 2), 2), engine)
    assert engine.asked == []  # same half, same masks
    serving = serving_model(project)
    import_cases(project, [incoming(40, labeled=True, split="gate")])
    engine.said = says(project, 1.0, 2)
    outcome = adopt(project, finished_run(project, says(project, 0.9, 3), 3), engine)
    assert engine.asked == [(serving.id, False)]
    assert "on 7 holdout cases" in outcome.sentence
    case = project.cases("gate")[0]
    project.accept(
        case.id, spot(False), case.description, "Ada", source="drawn", started_from=case.revision_id
    )
    adopt(project, finished_run(project, says(project, 0.9, 4), 4), engine)
    assert len(engine.asked) == 2
    assert good.id != serving.id


def test_a_serving_teacher_that_cannot_be_measured_leaves_the_run_undecided(project):
    taught(project, 0.8, 1)
    import_cases(project, [incoming(40, labeled=True, split="gate")])

    def broken(*_):
        raise EngineError("The model cannot be read.")

    run = finished_run(project, says(project, 1.0, 2), 2)
    with pytest.raises(EngineError, match="cannot be read"):
        adopt(project, run, broken)
    assert model_rows(project)[0].state == "undecided"
    assert adopt(project, run, Engine(says(project, 0.8, 1))).state == "promoted"


def test_a_teacher_that_left_out_cases_is_refused_by_the_round(project):
    taught(project, 0.6, 1)
    said = says(project, 1.0, 2)
    del said[project.cases("gate")[0].id]
    outcome = adopt(project, finished_run(project, said, 2), Engine(says(project, 0.6, 1)))
    assert outcome.state == "refused"
    assert "not measured on 1 of 6" in outcome.sentence


def test_without_a_holdout_a_teacher_that_forgets_the_words_is_refused(tmp_path):
    project = small_project(tmp_path / "bare", holdout=0)
    taught(project, 0.9, 1)
    mirrored = {case: mask[:, ::-1] for case, mask in says(project, 0.9, 2).items()}
    outcome = adopt(project, finished_run(project, mirrored, 2))
    assert outcome.state == "refused"
    assert "no holdout" in outcome.sentence
    assert taught(project, 0.8, 3).state == "promoted"
    project.close()


def test_two_models_are_compared_case_by_case_on_both_halves(project):
    first, second = taught(project, 0.6, 1).model, taught(project, 1.0, 2).model
    engine = Engine({})
    halves = compare(project, first, second, freeze(project), engine)
    assert [half.half for half in halves] == ["gate", "report"]
    for half in halves:
        assert len(half.cases) == 6
        assert half.missing == 0
        assert half.low <= half.difference <= half.high
        assert half.better > 0.99
        assert half.cases[0].difference <= half.cases[-1].difference
        assert half.second["dice_per_image"] - half.first["dice_per_image"] == pytest.approx(
            half.difference
        )
    assert engine.asked == []


def test_a_refused_model_may_face_the_gate_again_once_it_is_no_worse(project):
    taught(project, 0.9, 1)
    late = taught(project, 0.3, 2).model
    engine = Engine(says(project, 0.3, 2))
    refused = let_serve(project, late, engine, engine.folder)
    assert not refused.decision.promote
    engine.said = says(project, 1.0, 2)
    served = let_serve(project, late, engine, engine.folder)
    assert served.decision.promote
    assert served.proposals == 6
    assert serving_model(project).id == late.id
    with pytest.raises(PoolError, match="serves already"):
        let_serve(project, late, engine, engine.folder)


def test_models_are_found_by_id_beginning_round_or_as_the_serving_one(project):
    model = taught(project, 0.9, 1).model
    for name in (model.id, model.id[:5], "round-1", "serving"):
        assert find_model(project, name).id == model.id
    with pytest.raises(PoolError, match="There is no model 'round-9'"):
        find_model(project, "round-9")
    assert len(all_models(project)) == 1


def test_the_filed_card_says_what_it_is_for_and_invents_nothing(project):
    model = taught(project, 0.7, 1).model
    text = filed_card(model)
    for section in ("Model details", "Intended use", "Training data", "Metrics", "Limits"):
        assert f"## {section}" in text
    assert "not a medical device" in text
    assert "“Left” in the words means the left of the picture" in text
    assert "Zones with fewer than 5 labeled cases: Lu, Lm, Ll, Ru, Rm, Rl." in text
    figure = card_of(model).scores["report"]["teacher"]["dice_global"]
    assert f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})" in text
    assert read_measured(model.folder).all_of("report")


def test_proposals_come_to_the_desk_cut_where_their_teacher_was_judged(project):
    taught(project, 1.0, 1)
    model, desk = serving_model(project), ReviewDesk(project, "Ada")
    opened = desk.open("case_004")
    assert (opened.proposal == (opened.probability >= 0.5)).all()
    content = json.loads((model.folder / "config.json").read_text())
    content["method"]["threshold"] = 0.9
    (model.folder / "config.json").write_text(json.dumps(content))
    unsure = np.full((32, 32), 0.7, np.float32)
    for wanted, fresh in ((1, desk), (0, ReviewDesk(project, "Ben"))):
        fresh.open(f"case_00{5 + wanted}")
        assert (fresh.take_proposal(unsure, model.id).proposal == wanted).all()
