"""The plugin as napari sees it: a valid manifest whose every name exists, and an import without torch."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_semimedref

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


def test_all_six_docks_are_in_the_plugins_menu(manifest):
    names = {widget.display_name for widget in manifest.contributions.widgets}
    assert names == {"Review", "Description", "Queue", "Trainer", "Views", "Explain"}


def test_the_sample_film_is_a_film_with_its_mask(manifest):
    (sample,) = manifest.contributions.sample_data
    commands = {command.id: command.python_name for command in manifest.contributions.commands}
    module, name = commands[sample.command].split(":")
    film, mask = getattr(import_module(module), name)()
    assert (film[2], mask[2]) == ("image", "labels")
    assert film[0].shape == mask[0].shape
    assert mask[0].any()


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
