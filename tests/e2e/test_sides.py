"""A lesion on the left of the film stays there: through import, training, proposal, acceptance and export."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from made import TINY_ROUND, incoming
from PIL import Image

from training.config import RunConfig
from training.exports import export
from training.formats.entry import import_from
from training.formats.options import ReadOptions
from training.metrics import overlap
from training.pool import Project
from training.review import ReviewDesk
from training.round import run_round

FILMS, WITH_MASKS = 24, 14
STEPS = 150


@pytest.fixture
def project(tmp_path):
    """Films imported from files: even ones have a lesion low on the left, odd ones high on the right."""
    source, rows = tmp_path / "source", ["image,description"]
    for kind in ("images", "masks"):
        (source / kind).mkdir(parents=True)
    for number in range(FILMS):
        case = incoming(number)
        rows.append(f'{case.name}.png,"{case.description}"')
        Image.fromarray(case.image).save(source / "images" / f"{case.name}.png")
        if number < WITH_MASKS:
            mask = Image.fromarray(255 * case.hidden_mask)
            mask.save(source / "masks" / f"{case.name}.png")
    (source / "table.csv").write_text("\n".join(rows))
    options = ReadOptions(texts=source / "table.csv", patient_rule="file")
    made = Project.create(tmp_path / "project", laterality="image")
    import_from(source, made, options, name="folder")
    assert len(made.cases()) == FILMS
    assert made.cases("labeled")
    return made


def test_a_left_lesion_is_left_in_the_proposal_and_in_every_export(project, tmp_path):
    settings = TINY_ROUND | {
        "training": TINY_ROUND["training"] | {"steps": STEPS, "evaluate_every": STEPS}
    }
    assert run_round(project, RunConfig.parse(settings)).state == "promoted"
    desk, sides = ReviewDesk(project, "Ada"), {}
    for case in project.cases("unlabeled"):
        opened = desk.open(case.id)
        sides[case.id] = "left" if "left" in case.description else "right"
        true = incoming(int(case.id.rsplit("_", 1)[1])).hidden_mask
        assert overlap(opened.proposal, true).dice > 0.5, case.id
        assert overlap(opened.proposal, true[:, ::-1]).dice < 0.2, case.id
        desk.accept()
    assert set(sides.values()) == {"left", "right"}
    for name in ("masks", "nifti"):
        export(name, project, tmp_path / name)
    for case_id, side in sides.items():
        picture = np.asarray(Image.open(tmp_path / "masks" / "masks" / f"{case_id}.png"))
        volume = nibabel.load(tmp_path / "nifti" / "labels" / f"{case_id}.nii.gz")
        columns = np.asarray(volume.dataobj)[:, :, 0].T
        for exported in (picture, columns):
            left, right = np.split(exported > 0, 2, axis=1)
            assert (left.sum() > right.sum()) == (side == "left"), case_id
