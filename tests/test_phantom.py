"""The phantom: same key same bytes, lesions where the words say, knobs that do what they say."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from training.errors import ConfigError
from training.phantom import PhantomCase, PhantomConfig, make_case
from training.report import ZONES, parse
from training.report.finding import regions_of

SMALL = PhantomConfig(size=64)
ARRAYS = ("image", "mask", "distractors", "zone_map")


def films(count: int, seed: int = 0, **knobs: object) -> list[PhantomCase]:
    config = PhantomConfig(size=64, **knobs)
    return [make_case(config, seed, index) for index in range(count)]


def same_bytes(one: PhantomCase, two: PhantomCase) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ARRAYS)


def share_within(share: float, wanted: float, count: int) -> bool:
    return abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / count) + 1e-9


def areas(mask: np.ndarray) -> int:
    return ndimage.label(mask, structure=np.ones((3, 3)))[1]


def test_the_same_key_gives_the_same_case_in_any_order() -> None:
    forward = {index: make_case(SMALL, 5, index) for index in (0, 1, 2, 30)}
    for index in (30, 1, 2, 0):
        again = make_case(SMALL, 5, index)
        assert same_bytes(again, forward[index])
        assert again.description == forward[index].description
        assert again.zones == forward[index].zones


def test_another_process_makes_the_same_bytes() -> None:
    code = (
        "import hashlib; from training.phantom import *;"
        "c = make_case(PhantomConfig(size=96), 3, 4);"
        "print(hashlib.sha256(c.image.tobytes() + c.mask.tobytes()).hexdigest())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)]
    runs.append(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True))
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout.strip()) == 64


def test_other_keys_give_other_films() -> None:
    first = make_case(SMALL, 0, 0)
    assert not np.array_equal(first.image, make_case(SMALL, 1, 0).image)
    assert not np.array_equal(first.image, make_case(SMALL, 0, 2).image)


@pytest.mark.parametrize("size", [64, 224, 512, 1024])
def test_every_size_is_drawn(size: int) -> None:
    case = make_case(PhantomConfig(size=size), 1, 7)
    for name in ARRAYS:
        array = getattr(case, name)
        assert array.shape == (size, size) and array.dtype == np.uint8
    assert set(np.unique(case.mask)) == {0, 1}
    assert set(np.unique(case.zone_map)) == set(range(7))
    assert case.image.std() > 20


def test_a_case_is_the_same_patient_and_lesion_at_any_size() -> None:
    for index in range(6):
        small = make_case(PhantomConfig(size=128), 2, index)
        large = make_case(PhantomConfig(size=512), 2, index)
        shrunk = large.mask.reshape(128, 4, 128, 4).mean((1, 3)) > 0.5
        overlap = (shrunk & (small.mask > 0)).sum() / (shrunk | (small.mask > 0)).sum()
        assert overlap > 0.85
        gray = large.image.reshape(128, 4, 128, 4).mean((1, 3))
        assert np.corrcoef(gray.ravel(), small.image.ravel())[0, 1] > 0.97
        assert small.description == large.description


def test_lesions_and_distractors_lie_inside_the_lungs() -> None:
    for case in films(60):
        assert not (case.mask.astype(bool) & (case.lungs == 0)).any()
        assert not (case.distractors.astype(bool) & (case.lungs == 0)).any()


def test_an_infected_zone_is_on_the_named_side_of_the_picture() -> None:
    for case in films(60):
        columns = np.flatnonzero(case.mask.any(0)) / 64
        sides = {zone[0] for zone in case.zones}
        assert (columns.min() < 0.5) == ("L" in sides)
        assert (columns.max() >= 0.5) == ("R" in sides)


def test_the_patients_left_is_on_the_right_of_the_picture() -> None:
    pairs = zip(films(40), films(40, laterality="patient"), strict=True)
    for picture, patient in pairs:
        assert same_bytes(picture, patient)
        swapped = {("R" if zone[0] == "L" else "L") + zone[1] for zone in picture.zones}
        assert patient.zones == swapped
        if patient.zones <= {"Lu", "Lm", "Ll"}:
            assert np.flatnonzero(patient.mask.any(0)).min() >= 31
            assert " left lung" in patient.description


def test_lower_zones_lie_below_upper_zones() -> None:
    upper = films(12, zone_prior=(1, 0, 0, 1, 0, 0), zones_per_case=(1, 0, 0, 0))
    lower = films(12, zone_prior=(0, 0, 1, 0, 0, 1), zones_per_case=(1, 0, 0, 0))
    highest_lower = min(np.flatnonzero(case.mask.any(1)).min() for case in lower)
    lowest_upper = max(np.flatnonzero(case.mask.any(1)).max() for case in upper)
    assert lowest_upper < highest_lower


def test_the_description_reads_back_as_the_zones_and_counts_the_areas() -> None:
    config = PhantomConfig(size=160)
    for index in range(40):
        case = make_case(config, 9, index)
        finding = parse(case.description)
        assert finding.zones == case.zones
        assert not finding.conflict
        assert finding.count == regions_of(case.zones) == areas(case.mask)


def zones_under(mask: np.ndarray, case: PhantomCase) -> set[str]:
    return {ZONES[number - 1] for number in np.unique(case.zone_map[mask > 0])}


def test_the_mask_covers_every_true_zone_and_no_other() -> None:
    for case in films(80, zones_per_case=(1, 1, 1, 1)):
        assert zones_under(case.mask, case) == case.zones


def test_the_distractors_cover_no_true_zone() -> None:
    for case in films(60, distractor_probability=1.0):
        found = zones_under(case.distractors, case)
        assert 1 <= len(found) <= 2 and not found & case.zones
        assert found == case.distractor_zones


def test_distractor_zones_follow_the_laterality_and_are_none_without_distractors() -> None:
    for ours, theirs in zip(films(20), films(20, laterality="patient"), strict=True):
        mirrored = {("R" if zone[0] == "L" else "L") + zone[1:] for zone in ours.distractor_zones}
        assert theirs.distractor_zones == mirrored
        assert bool(ours.distractors.any()) == bool(ours.distractor_zones)


def test_each_lung_is_cut_into_three_zones_from_top_to_bottom() -> None:
    for case in films(8):
        rows = [np.flatnonzero((case.zone_map == zone).any(1)) for zone in range(1, 7)]
        for side in (rows[:3], rows[3:]):
            assert side[0].mean() < side[1].mean() < side[2].mean()
        assert np.mean(case.zone_map == 1) > 0.02


def test_a_negative_film_has_an_empty_mask_and_says_so() -> None:
    for case in films(12, negatives=1.0):
        assert case.mask.sum() == 0 and case.distractors.sum() == 0
        assert case.zones == frozenset()
        assert case.description.startswith("No pulmonary infection")


def test_distractors_touch_neither_the_mask_nor_a_named_zone() -> None:
    seen = 0
    for case in films(60, distractor_probability=1.0):
        assert case.distractors.any()
        near = ndimage.binary_dilation(case.distractors)
        assert not (near & (case.mask > 0)).any()
        seen += areas(case.distractors)
    assert seen > 60


def test_without_distractors_the_lesions_stay_the_same() -> None:
    pairs = zip(films(20), films(20, distractor_probability=0.0), strict=True)
    for crowded, plain in pairs:
        assert not plain.distractors.any()
        assert np.array_equal(crowded.mask, plain.mask)
        assert crowded.description == plain.description


def test_lesions_are_brighter_than_the_same_lung_without_them() -> None:
    faint = films(12, contrast=(0.0, 0.0))
    strong = films(12, contrast=(0.25, 0.25))
    for dark, bright in zip(faint, strong, strict=True):
        inside = dark.mask > 0
        assert np.array_equal(dark.mask, bright.mask)
        assert bright.image[inside].mean() > dark.image[inside].mean() + 12


def test_the_share_of_films_with_distractors_follows_its_knob() -> None:
    cases = films(150, seed=4, distractor_probability=0.3)
    share = np.mean([case.distractors.any() for case in cases])
    assert share_within(share, 0.3, 150)


def test_the_share_of_negatives_follows_its_knob() -> None:
    share = np.mean([not case.zones for case in films(150, seed=4, negatives=0.25)])
    assert share_within(share, 0.25, 150)


def test_the_share_of_wrong_words_follows_its_knob_and_no_picture_changes() -> None:
    right, wrong = films(150, seed=6), films(150, seed=6, wrong_words=0.4)
    readings = [parse(case.description) for case in wrong]
    faulty = [finding.zones != case.zones for finding, case in zip(readings, wrong, strict=True)]
    assert share_within(np.mean(faulty), 0.4, 150)
    assert any(not finding.has_position for finding in readings)
    for one, two in zip(right[:20], wrong[:20], strict=True):
        assert same_bytes(one, two) and one.zones == two.zones


def test_zone_weights_of_zero_are_never_drawn() -> None:
    cases = films(60, zone_prior=(0, 0, 3, 0, 0, 1), zones_per_case=(1, 0, 0, 0))
    assert {zone for case in cases for zone in case.zones} == {"Ll", "Rl"}
    share = np.mean(["Ll" in case.zones for case in cases])
    assert share_within(share, 0.75, 60)


def test_the_number_of_zones_follows_its_weights() -> None:
    counts = np.bincount([len(case.zones) for case in films(200, seed=8)], minlength=5)
    for number, wanted in enumerate((0.35, 0.35, 0.20, 0.10), start=1):
        assert share_within(counts[number] / 200, wanted, 200)


def test_some_patients_have_two_films_with_the_same_body() -> None:
    cases = films(300, seed=1)
    films_of = {}
    for case in cases:
        films_of.setdefault(case.patient, []).append(case)
    pairs = [group for group in films_of.values() if len(group) == 2]
    assert max(len(group) for group in films_of.values()) == 2
    assert share_within(len(pairs) / len(films_of), 0.15, len(films_of))
    assert any(not np.array_equal(one.mask, two.mask) for one, two in pairs)
    lone = films(40, two_films=0.0)
    assert len({case.patient for case in lone}) == 40


def test_near_duplicates_show_the_same_lesions_in_another_exposure() -> None:
    cases = films(12, near_duplicates=1.0)
    for one, two in zip(cases[::2], cases[1::2], strict=True):
        assert one.patient == two.patient and one.name != two.name
        assert one.zones == two.zones and one.description == two.description
        assert not np.array_equal(one.image, two.image)


def test_shift_inverts_some_films_and_adds_noise() -> None:
    usual, shifted = films(40), films(40, shift=1.0)

    # Between the lungs a usual film is brighter than in them.
    def polarity(case: PhantomCase) -> float:
        middle = case.image[20:40, 30:34].mean()
        return float(middle - case.image[case.lungs > 0].mean())

    assert all(polarity(case) > 0 for case in usual)
    inverted = np.mean([polarity(case) < 0 for case in shifted])
    assert share_within(inverted, 0.5, 40)


def test_the_heart_lies_toward_the_right_of_the_picture() -> None:
    for case in films(10):
        beside = case.lungs[34:44]
        assert beside[:, :32].sum() > beside[:, 32:].sum()


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"size": 32}, "size"),
        ({"size": 4096}, "size"),
        ({"wrong_words": 1.5}, "wrong_words"),
        ({"laterality": "viewer"}, "laterality"),
        ({"zone_prior": (1, 1)}, "zone_prior"),
        ({"zone_prior": (1, 0, 0, 0, 0, 0)}, "zone_prior"),
        ({"zones_per_case": (0, 0, 0, 0)}, "zones_per_case"),
        ({"contrast": (0.3, 0.1)}, "contrast"),
        ({"flavor": "mint"}, "flavor"),
    ],
)
def test_an_impossible_setting_is_named_in_a_sentence(knobs: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        PhantomConfig(**knobs)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_negative_seed_or_index_is_refused_in_a_sentence() -> None:
    for seed, index in ((-1, 0), (0, -1)):
        with pytest.raises(ConfigError, match=r"-1.*0 or more"):
            make_case(SMALL, seed, index)


def test_every_knob_tells_what_it_does() -> None:
    assert all(field.description for field in PhantomConfig.model_fields.values())
    assert len(ZONES) == 6
