from __future__ import annotations

import numpy as np
import pytest

from training.engine.counterfactual import VARIANTS, changed_texts, measure, phantom_films
from training.engine.words import finding_of
from training.phantom import PhantomConfig
from training.report import ZONES

SHOWN = "with distractors"


class Listener:
    """Stands for a perfect network: marks every lesion in the zones that it is told, or simply every lesion."""

    def __init__(self, films, listens=True):
        self._films, self._listens = films, listens
        self._numbers = {image.numpy().tobytes(): n for n, image in enumerate(films.images)}

    def batch(self, images, texts):
        return np.stack(
            [self._mask(image, text) for image, text in zip(images, texts, strict=True)]
        )

    def _mask(self, image, text):
        films, number = self._films, self._numbers[image.numpy().tobytes()]
        lesions = (films.targets[number] | films.distractors[number]).astype(np.float32)
        if not self._listens:
            return lesions
        told = [ZONES.index(zone) + 1 for zone in finding_of(text).zones]
        return lesions * np.isin(films.zone_maps[number], told)


@pytest.fixture(scope="module", params=["image", "patient"])
def films(request):
    return phantom_films(PhantomConfig(laterality=request.param), 5, 40, 96)


def table(network, films):
    rng = np.random.default_rng(0)
    return {name: measure(network, films, changed_texts(films, name, rng)) for name in VARIANTS}


def test_a_network_that_listens_follows_the_words_wherever_they_send_it(films):
    found = table(Listener(films), films)
    true, moved = found["true"][SHOWN], found["distractors"][SHOWN]
    assert true.targets.dice_global > 0.95
    assert true.distractors.dice_global < 0.02
    assert moved.distractors.dice_global > 0.95
    assert moved.targets.dice_global < 0.02
    assert (true.inside_shown, true.inside_true) == (1, 1)
    assert (moved.inside_shown, moved.inside_true) == (1, 0)
    assert found["hidden"]["all"].targets.dice_global == 0
    assert found["none"]["all"].inside_shown is None
    for name in ("flipped", "shuffled", "constant"):
        assert found[name]["all"].targets.dice_global < 0.6 * true.targets.dice_global


def test_a_network_that_does_not_listen_has_one_row_for_all_words(films):
    found = table(Listener(films, listens=False), films)
    rows = [found[name][SHOWN] for name in VARIANTS]
    assert len({row.targets.dice_global for row in rows}) == 1
    assert len({row.distractors.dice_global for row in rows}) == 1
    assert 0.3 < rows[0].targets.dice_global < 0.9
    assert rows[0].inside_true < 0.9


def test_the_two_sets_hold_the_films_they_name_and_distractors_count_only_where_they_are(films):
    found = measure(Listener(films), films, films.descriptions)
    assert found["all"].films == 40
    assert found[SHOWN].films == films.with_distractors.sum() < 40
    assert found["all"].distractors is None
    rewritten = changed_texts(films, "distractors", np.random.default_rng(0))
    assert [text is not None for text in rewritten] == films.with_distractors.tolist()
    assert set(measure(Listener(films), films, rewritten)) == {SHOWN}


def test_the_texts_say_what_their_names_promise(films):
    rng = np.random.default_rng(0)
    texts = {name: changed_texts(films, name, rng) for name in VARIANTS}
    assert texts["true"] == films.descriptions
    zones = [finding_of(text).zones for text in films.descriptions]
    for text, of_film in zip(texts["distractors"], films.distractor_zones, strict=True):
        assert text is None or finding_of(text).zones == of_film
    assert not any(finding_of(text).zones for text in texts["hidden"])
    mirror = {"L": "R", "R": "L"}
    for text, own in zip(texts["flipped"], zones, strict=True):
        assert finding_of(text).zones == {mirror[zone[0]] + zone[1] for zone in own}
    assert sorted(texts["shuffled"]) == sorted(films.descriptions)
    assert len(set(texts["constant"])) == 1


def test_films_below_the_phantoms_smallest_size_are_shrunk_with_their_maps():
    small, large = (phantom_films(PhantomConfig(), 5, 6, side) for side in (32, 64))
    assert small.images.shape == small.targets.shape == small.zone_maps.shape == (6, 32, 32)
    assert small.descriptions == large.descriptions
    assert np.isin(small.zone_maps, large.zone_maps).all()
    share = [(films.zone_maps > 0).mean() for films in (small, large)]
    assert share[0] == pytest.approx(share[1], abs=0.01)
