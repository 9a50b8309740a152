"""The imports keep their one direction, and the window opens without torch."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "monai", "transformers", "lightning_fabric")


def test_every_import_contract_is_kept():
    tool = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [tool, "--config", "setup.cfg"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_every_module_is_under_the_contracts():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    found = {
        f"training.{path.stem}"
        for path in (ROOT / "training").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"training.__init__", "training.__main__"}
    light = contracts["importlinter:contract:light-floor"]["source_modules"].split()
    assert set(light) == found - {"training.engine", "training.cli"}
    # Withheld masks: the pool keeps them, the simulated reader reads them, the commands use that reader.
    guarded = contracts["importlinter:contract:hidden-references"]["source_modules"].split()
    assert found - set(guarded) == {"training.pool", "training.simulate", "training.cli"}


def _loaded(statement: str) -> set[str]:
    script = (
        f"{statement}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import training.simulate, training.cli",
        "import pkgutil, importlib, napari_semimedref\n"
        "for found in pkgutil.walk_packages(napari_semimedref.__path__, 'napari_semimedref.'):\n"
        "    importlib.import_module(found.name) if not found.name.endswith('__main__') else None",
    ],
    ids=["commands", "window"],
)
def test_importing_loads_no_torch(statement):
    assert not _loaded(statement) & set(HEAVY)


def test_the_commands_load_no_window():
    assert not _loaded("import training.cli") & {"napari", "qtpy", "magicgui", "psygnal"}
