"""DICOM: films look like films, sides are kept, and nothing about a person comes in."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from made import SHARED_DATA
from made_sources import WORDS, dicom, left_film, left_mask, save_dicom, save_sheet
from pydicom.uid import generate_uid

from training.errors import FormatError
from training.formats import ReadOptions, detect, read
from training.formats.bring_in import bring_in, secret_of
from training.formats.dicom_header import (
    burned_in_warning,
    patient_key,
    replaced_uid,
    source_header,
)
from training.formats.dicom_pixels import picture_of, window_values
from training.formats.findings import Note, Trouble
from training.formats.turning import Turn, turn_for
from training.pool import IncomingCase, Project
from training.pool.sources import read_source

REAL = SHARED_DATA / "dicom_chest"
KEY = ReadOptions(secret=b"key")


def _only(path, options=KEY):
    found = list(read("dicom", path, options))
    cases = [item for item in found if isinstance(item, IncomingCase)]
    assert len(cases) == 1, found
    return cases[0]


def _seen(image):
    return image.astype(np.float64) / 65535


def test_a_film_is_shown_through_its_window(tmp_path):
    save_dicom(tmp_path / "a.dcm", left_film(), WindowCenter=100, WindowWidth=201)
    expected = np.clip((left_film() - 99.5) / 200 + 0.5, 0, 1)
    assert np.allclose(_seen(_only(tmp_path).image), expected, atol=1e-4)


def test_monochrome1_is_shown_the_right_way_round(tmp_path):
    save_dicom(
        tmp_path / "a.dcm",
        255 - left_film(),
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=128,
        WindowWidth=256,
    )
    assert np.allclose(_seen(_only(tmp_path).image), left_film() / 255, atol=1e-2)


def test_rescaled_values_and_a_window_of_the_users_choice(tmp_path):
    stored = left_film().astype(np.int16) * 4
    save_dicom(tmp_path / "a.dcm", stored, "ct", RescaleSlope=2, RescaleIntercept=-1000)
    hounsfield = stored * 2.0 - 1000
    by_default = window_values(hounsfield, -600, 1500)
    assert np.allclose(_seen(_only(tmp_path).image), by_default, atol=1e-4)
    options = ReadOptions(window=(40, 400), secret=b"key")
    assert np.allclose(
        _seen(_only(tmp_path, options).image), window_values(hounsfield, 40, 400), atol=1e-4
    )


def test_a_lookup_table_goes_before_a_window(tmp_path):
    table = pydicom.Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.LUTData = [65535 - 257 * value for value in range(256)]
    file = dicom(left_film(), WindowCenter=10, WindowWidth=2)
    file.VOILUTSequence = [table]
    image, _ = picture_of(file, None)
    assert np.allclose(_seen(image), 1 - left_film() / 255, atol=1e-3)


@pytest.mark.parametrize("space", ["RGB", "YBR_FULL"])
def test_colors_become_luminance(tmp_path, space):
    colors = np.repeat(left_film()[..., None], 3, axis=2)
    if space == "YBR_FULL":
        colors[..., 1:] = 128
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": space, "PlanarConfiguration": 0}
    save_dicom(tmp_path / "a.dcm", colors, **tags)
    assert np.allclose(_seen(_only(tmp_path).image), left_film() / 255, atol=1e-3)


def test_a_palette_becomes_luminance(tmp_path):
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for color in ("Red", "Green", "Blue"):
        tags[f"{color}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        entries = np.arange(256, dtype="<u2") * 257
        tags[f"{color}PaletteColorLookupTableData"] = entries.tobytes()
    save_dicom(tmp_path / "a.dcm", left_film(), **tags)
    assert np.allclose(_seen(_only(tmp_path).image), left_film() / 255, atol=1e-3)


@pytest.mark.parametrize(
    ("columns", "rows", "stored"),
    [
        ("L", "F", lambda p: p),
        ("R", "F", lambda p: p[:, ::-1]),
        ("L", "H", lambda p: p[::-1]),
        ("F", "L", lambda p: p.T),
        ("H", "R", lambda p: p[::-1, ::-1].T),
        ("LP", "FR", lambda p: p),
    ],
)
def test_a_film_stored_in_any_way_is_shown_upright_with_the_patients_right_on_the_left(
    tmp_path, columns, rows, stored
):
    pixels = np.ascontiguousarray(stored(left_film()))
    save_dicom(
        tmp_path / "a.dcm",
        pixels,
        PatientOrientation=[columns, rows],
        WindowCenter=128,
        WindowWidth=256,
    )
    case = _only(tmp_path)
    assert np.allclose(_seen(case.image), left_film() / 255, atol=1e-2)
    turn = Turn(**case.source["turn"])
    assert np.array_equal(turn.undo(turn.apply(pixels)), pixels)
    assert np.array_equal(turn.undo(left_mask()), stored(left_mask()))


@pytest.mark.parametrize(
    ("directions", "stored"),
    [
        ([1, 0, 0, 0, 1, 0], lambda p: p),
        ([-1, 0, 0, 0, 1, 0], lambda p: p[:, ::-1]),
        ([0.99, 0.1, 0, 0.1, -0.99, 0], lambda p: p[::-1]),
        ([0, 1, 0, 1, 0, 0], lambda p: p.T),
        ([1, 0, 0, 0, 0, -1], lambda p: p),
        ([0, 1, 0, 0, 0, 1], lambda p: p[::-1]),
    ],
)
def test_slices_are_turned_by_the_direction_of_their_rows_and_columns(tmp_path, directions, stored):
    pixels = np.ascontiguousarray(stored(left_film())).astype(np.int16)
    save_dicom(
        tmp_path / "a.dcm",
        pixels,
        "ct",
        ImageOrientationPatient=directions,
        WindowCenter=128,
        WindowWidth=256,
    )
    assert np.allclose(_seen(_only(tmp_path).image), left_film() / 255, atol=1e-2)


def test_directions_that_contradict_each_other_turn_nothing_and_are_told(tmp_path):
    assert turn_for("L", "R") is None
    save_dicom(tmp_path / "a.dcm", left_film(), PatientOrientation=["L", "R"])
    notes = [item.sentence for item in read("dicom", tmp_path, KEY) if isinstance(item, Note)]
    assert any("does not say how the patient lies" in sentence for sentence in notes)


IDENTIFYING = {
    "PatientName": "Roe^Wilhelmina",
    "PatientID": "MRN-7431-XK",
    "PatientBirthDate": "19410627",
    "OtherPatientIDs": "ALT-99173",
    "PatientAddress": "12 Harbour Lane",
    "InstitutionName": "St. Elsewhere",
    "ReferringPhysicianName": "House^Gregory",
    "AccessionNumber": "ACC554433",
    "StudyDescription": "Roe follow-up",
    "SeriesDescription": "for Wilhelmina",
    "ImageComments": "call 555-0147",
    "StudyID": "ST8812",
    "StudyDate": "20190812",
    "StudyTime": "101112",
    "DeviceSerialNumber": "SN665544",
    "BodyPartExamined": "CHEST",
    "PatientAge": "097Y",
}


def test_nothing_that_identifies_a_person_reaches_the_project(tmp_path):
    source = tmp_path / "Roe_Wilhelmina"
    save_dicom(source / "Wilhelmina.dcm", left_film(), **IDENTIFYING)
    file = pydicom.dcmread(source / "Wilhelmina.dcm")
    file.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "private Wilhelmina")
    file.ViewPosition = "ROE"  # free text where a code belongs
    file.ImageType = ["DERIVED", "PRIMARY", "WILHELMINA"]
    file.save_as(source / "Wilhelmina.dcm")
    project = Project.create(tmp_path / "project")
    options = ReadOptions(secret=secret_of(project))
    assert len(bring_in(project, read("dicom", source, options), options).report.added) == 1
    project.close()
    kept = b"\0".join(p.read_bytes() for p in project.folder.rglob("*") if p.is_file()).lower()
    secrets = [value for name, value in IDENTIFYING.items() if name != "BodyPartExamined"]
    uids = [
        str(file.get(name)) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    ]
    words = ["wilhelmina", "roe", "house", "555-0147", "acme", *secrets, *uids]
    assert [word for word in words if word.lower().encode() in kept] == []
    record = read_source(project, project.cases()[0].id)
    assert all(word in str(record) for word in ("CHEST", "090Y", "DERIVED"))


def test_patients_are_hashed_with_the_projects_key_and_dates_keep_their_distance():
    first, second = dicom(left_film()), dicom(left_film(), StudyDate="20200415")
    other = dicom(left_film(), PatientID="999")
    assert patient_key(first, b"a") == patient_key(second, b"a") != patient_key(other, b"a")
    assert patient_key(first, b"a") != patient_key(first, b"b")
    days = [
        np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}")
        for d in (source_header(file, KEY).StudyDate for file in (first, second))
    ]
    assert days[1] - days[0] == np.timedelta64(31, "D")
    assert days[0] < np.datetime64("2020-03-15")


def test_identifiers_are_replaced_unless_they_are_asked_for():
    file = dicom(left_film())
    assert source_header(file, KEY).SOPInstanceUID == replaced_uid(file.SOPInstanceUID, b"key")
    kept = source_header(file, ReadOptions(secret=b"key", keep_uids=True))
    assert kept.SOPInstanceUID == file.SOPInstanceUID


def test_pixels_that_may_carry_text_are_pointed_out():
    assert burned_in_warning(dicom(left_film())) is None
    assert "says that its pixels carry" in burned_in_warning(
        dicom(left_film(), BurnedInAnnotation="YES")
    )
    derived = dicom(left_film(), ImageType=["DERIVED", "SECONDARY"], BurnedInAnnotation="")
    assert "may carry burned-in text" in burned_in_warning(derived)


def test_the_slices_of_a_series_come_in_order_as_one_patient(tmp_path):
    for number in (3, 1, 10, 2):
        pixels = left_film().astype(np.int16) + number
        save_dicom(
            tmp_path / f"x{number}",
            pixels,
            "ct",
            InstanceNumber=number,
            SOPInstanceUID=generate_uid(),
        )
    assert detect(tmp_path) == "dicom"
    cases = [item for item in read("dicom", tmp_path, KEY) if isinstance(item, IncomingCase)]
    assert [int(case.name.split("_")[1]) for case in cases] == [1, 2, 3, 10]
    assert len({case.patient for case in cases}) == 1
    halved = list(read("dicom", tmp_path, ReadOptions(secret=b"key", every=2)))
    assert len(halved) == 2


def test_words_are_found_by_file_name_or_identifier(tmp_path):
    path = save_dicom(tmp_path / "d" / "film.dcm", left_film())
    for name in ("FILM.dcm", str(pydicom.dcmread(path).SOPInstanceUID)):
        sheet = save_sheet(tmp_path / "t.xlsx", [("Image", "Description"), (name, WORDS)])
        assert _only(tmp_path / "d", ReadOptions(secret=b"key", texts=sheet)).description == WORDS


def test_what_is_no_flat_picture_is_refused_and_stops_nothing(tmp_path):
    save_dicom(tmp_path / "good.dcm", left_film())
    save_dicom(tmp_path / "frames.dcm", left_film(), NumberOfFrames=2)
    report = dicom(left_film())
    del report.PixelData
    report.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    found = list(read("dicom", tmp_path, KEY))
    troubles = {item.name: item.sentence for item in found if isinstance(item, Trouble)}
    assert "2 frames" in troubles["frames.dcm"]
    assert "holds no picture" in troubles["report.dcm"]
    assert sum(isinstance(item, IncomingCase) for item in found) == 1


def test_a_folder_without_dicom_is_refused(tmp_path):
    with pytest.raises(FormatError, match="holds no DICOM files"):
        next(read("dicom", tmp_path, KEY))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real films are not at hand")
def test_the_real_films_come_in_and_the_monochrome1_film_looks_like_a_film(tmp_path):
    project = Project.create(tmp_path / "project")
    options = ReadOptions(secret=secret_of(project))
    outcome = bring_in(project, read("dicom", REAL, options), options)
    assert (len(outcome.report.added), outcome.report.failed) == (4, ())
    heights = {project.read_image(c.id).shape[0]: project.read_image(c.id) for c in project.cases()}
    film = heights[1955]  # JPEG 2000, MONOCHROME1
    middle = film[700:1000]
    lungs = (middle[:, 350:600].mean() + middle[:, 1250:1500].mean()) / 2
    assert middle[:, 850:990].mean() > lungs + 0.1  # the spine is brighter than the lungs
    assert film[-300:, 700:1100].mean() > lungs + 0.1  # and so is the abdomen
    heart = film[1100:1500]
    assert (
        heart[:, 980:1250].mean() > heart[:, 590:860].mean()
    )  # the heart is on the picture's right
    slices = heights[512]
    assert slices[250:300, 100:180].mean() < 0.5 < 0.8 < slices[200:280, 230:330].mean()
