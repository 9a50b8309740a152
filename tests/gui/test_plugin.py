"""The plugin as napari sees it: a valid manifest whose every name exists, and an import without torch."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest

import napari_semimedref
from napari_semimedref.layout import ADJUDICATION, PLACES
from napari_semimedref.samples import FILMS, phantom_film, phantom_films

MANIFEST = Path(napari_semimedref.__file__).with_name("napari.yaml")
HEAVY = ("torch", "monai", "transformers", "lightning_fabric", "training.engine")


@pytest.fixture(scope="module")
def manifest():
    found = PluginManifest.from_file(MANIFEST)
    found.validate_imports()
    return found


def test_every_command_names_something_that_can_be_called(manifest):
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_all_docks_are_in_the_plugins_menu(manifest):
    names = {widget.display_name for widget in manifest.contributions.widgets}
    places = {*PLACES.values(), ADJUDICATION}
    assert names == {place.title for place in places}


def test_the_manifest_is_valid_by_npe2s_own_command():
    words = [sys.executable, "-m", "npe2", "validate", str(MANIFEST)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid!" in done.stdout


def test_the_sample_film_is_a_film_with_its_mask(manifest):
    assert {sample.key for sample in manifest.contributions.sample_data} == {"phantom", "phantoms"}
    for made in (phantom_film, phantom_films):
        film, mask = made()
        assert (film[2], mask[2]) == ("image", "labels")
        assert film[0].shape == mask[0].shape
        assert mask[0].any()
        again, _mask = made()
        assert np.array_equal(film[0], again[0])
    assert len(film[0]) == len(film[1]["metadata"]["description"]) == FILMS


def test_importing_every_module_of_the_plugin_loads_no_engine():
    script = (
        "import importlib, pkgutil, sys, napari_semimedref as n\n"
        "for found in pkgutil.walk_packages(n.__path__, 'napari_semimedref.'):\n"
        "    importlib.import_module(found.name)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
