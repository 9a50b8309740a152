"""The papers' tables: their rows, the splits of labels, reuse of finished runs, and what is printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from made import small_project
from scipy.stats import wilcoxon
from typer.testing import CliRunner

from training import ablation
from training.ablation import plan, run_all, visible_gpus, with_share
from training.ablation_rows import EQUAL_TIME, TABLES, with_lvit
from training.ablation_scores import FIGURES, Cell, cells, comparisons
from training.cli import app
from training.cli.ablate import lines
from training.config import RunConfig, preset
from training.engine.epi import momentum_for
from training.errors import PoolError, SemiMedRefError
from training.round import freeze
from training.rundir import RunFolder

TINY = {
    "device": "cpu",
    "network": {
        "image_size": 32,
        "widths": [8, 8, 8, 8],
        "depths": [1, 1, 1, 1],
        "text_width": 16,
        "heads": 2,
    },
    "training": {"steps": 2, "batch_labeled": 2, "batch_unlabeled": 2, "threads": 1},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return small_project(tmp_path_factory.mktemp("ablation") / "p", labeled=8, unlabeled=2)


@pytest.fixture
def snapshot(project):
    return freeze(project)


def test_shares_are_nested_and_keep_no_mask_of_the_others(snapshot):
    few, more = with_share(snapshot, 0.2), with_share(snapshot, 0.6)
    names = [{case.case_id for case in each.labeled} for each in (few, more)]
    assert [len(each) for each in names] == [2, 6]
    assert names[0] < names[1]
    for each in (few, more):
        assert all(case.mask is None for case in each.unlabeled)
        assert len(each.labeled) + len(each.unlabeled) == 10
        assert (each.gate, each.report) == (snapshot.gate, snapshot.report)
    assert with_share(snapshot, 0.2) == few


@pytest.mark.parametrize("share", [0.9, 0.0, -1, 9])
def test_more_labels_than_there_are_cannot_be_had(snapshot, share):
    with pytest.raises(PoolError, match="the project has 8"):
        with_share(snapshot, share)


def test_an_empty_report_half_is_refused(snapshot):
    with pytest.raises(PoolError, match="report half"):
        with_share(snapshot.model_copy(update={"report": ()}), 0.2)


@pytest.mark.parametrize("name", ["default", "paper", "release"])
def test_the_rows_add_one_part_at_a_time(name, snapshot, tmp_path):
    runs = plan("2", snapshot, preset(name), [0.2], 1, tmp_path)
    settings = [run.config for run in runs]
    assert [c.method.name for c in settings] == ["supervised"] + ["semi-medref"] * 4
    assert [c.views.posaug_probability > 0 for c in settings[1:]] == [False, True, True, True]
    assert [c.views.patch_probability > 0 for c in settings[1:]] == [False, False, True, True]
    for part in ("lambda_labeled_itcl", "lambda_unlabeled_itcl"):
        assert [getattr(c.method, part) > 0 for c in settings] == [False] * 4 + [True]
    whole = settings[-1].model_copy(update={"training": preset(name).training})
    assert whole == preset(name)


def test_the_rows_of_table_3_each_replace_one_part(snapshot, tmp_path):
    base = preset("default")
    runs = plan("3", snapshot, base, [0.2], 1, tmp_path)
    cutmix, strong, mirrored, clip, whole = (run.config for run in runs)
    assert cutmix.views.patch_kind == "cutmix"
    assert strong.views.text_change == "textstrong"
    assert (mirrored.views.flip_probability, mirrored.views.patch_probability) == (0.5, 0)
    assert clip.method.itcl_targets == "identity"
    assert (whole.views, whole.method) == (base.views, base.method)


def test_a_folder_is_named_by_all_that_decides_its_result_and_nothing_else(snapshot, tmp_path):
    config = RunConfig.parse(TINY)

    def names(config=config, share=0.2, processes=1):
        runs = plan("2", snapshot, config, [share], 2, tmp_path, processes)
        return {run.folder.name for run in runs}

    longer = config.training.model_copy(update={"steps": 3})
    automatic = config.training.model_copy(update={"threads": 0})
    assert len(names()) == 10
    assert names() == names(processes=2)
    assert names() == names(config.model_copy(update={"training": automatic}))
    assert not names() & names(config.model_copy(update={"training": longer}))
    assert not names() & names(share=0.4)
    with pytest.raises(SemiMedRefError, match="no table 4"):
        plan("4", snapshot, config, [0.2], 1, tmp_path)


def pretend(runs, dice):
    """Write scores as if the runs had been trained; ``dice(run)`` gives the Dice of each case."""
    for run in runs:
        folder = RunFolder.create(run.folder, run.config, run.snapshot)
        ids = [case.case_id for case in run.snapshot.report]
        values = [float(value) for value in dice(run)]
        of_cases = dict(zip([*ids, *(f"c{n}" for n in range(len(values)))], values, strict=False))
        mean = float(np.mean(list(of_cases.values())))
        both = {role: dict.fromkeys(FIGURES, mean) for role in ("student", "teacher")}
        folder.write_scores({"report": both})
        told = {"report": {"student": of_cases, "teacher": of_cases}}
        (run.folder / "case_scores.json").write_text(json.dumps(told))


def test_figures_are_means_spreads_and_paired_tests_over_cases(snapshot, tmp_path):
    runs = plan("2", snapshot, RunConfig.parse(TINY), [0.2], 3, tmp_path)
    order = [row.key for row in TABLES["2"]]
    base = np.random.default_rng(0).uniform(0.3, 0.6, 12)
    noise = np.random.default_rng(1).uniform(0, 0.04, (len(order), 12))

    def dice(run):
        at = order.index(run.row.key)
        return base + 0.05 * min(at, 3) + noise[min(at, 3)] + 0.01 * run.seed

    pretend(runs, dice)
    found = cells("2", runs)
    first, second, last = (found[key, 0.2] for key in (order[0], order[1], order[-1]))
    assert (first.against, first.p) == (None, None)
    assert first.mean == pytest.approx((base + noise[0]).mean() + 0.01)
    assert first.spread == pytest.approx(0.01)
    assert second.against == order[0]
    assert second.p == pytest.approx(wilcoxon(0.05 + noise[1] - noise[0]).pvalue)
    assert last.p == 1.0


def test_table_2_is_printed_in_the_papers_layout():
    found = {(row.key, 0.01): Cell(5, (0.8, 0.82)) for row in TABLES["2"]}
    found |= {(row.key, 0.02): Cell(10, (0.9, 0.9), against="x", p=0.0004) for row in TABLES["2"]}
    told = lines("2", found, [0.01, 0.02], 2, "student")
    assert told[0].split() == [
        "T-S",
        "PosAug",
        "T-PatchMix",
        "ITCL",
        "1",
        "%",
        "(5)",
        "2",
        "%",
        "(10)",
    ]
    assert told[1].split()[:4] == ["-"] * 4
    assert told[4].split()[:4] == ["x", "x", "x", "-"]
    assert "81.00 ± 1.41" in told[1]
    assert "90.00 ± 0.00 (p < 0.001)" in told[1]
    assert len({line.index(" ± ") for line in told[1:6]}) == 1


def test_one_seed_has_no_spread_and_what_was_not_compared_no_p():
    told = lines("2", {("ts", 0.01): Cell(5, (0.8,))}, [0.01], 1, "student")
    assert "80.00" in told[1]
    assert "±" not in "".join(told)
    assert "p against" not in told[-1]
    assert lines("2", {("ts", 0.01): Cell(5, (0.8,))}, [0.01], 1, "student")[-1].endswith(
        "one seed."
    )


def test_the_command_trains_prints_and_the_next_time_reuses(project, tmp_path, monkeypatch):
    config = tmp_path / "tiny.json"
    config.write_text(RunConfig.parse(TINY).model_dump_json())
    command = ["ablate", str(project.folder), "--table", "3", "--labels", "0.2", "--seeds", "1"]
    command += ["--config", str(config), "--json", str(tmp_path / "out.json"), "--processes", "2"]
    runs = plan("3", freeze(project), RunConfig.parse(TINY), [0.2], 1, project.folder / "ablations")
    RunFolder.create(runs[0].folder, runs[0].config, runs[0].snapshot)  # One was interrupted.
    pretend(runs[1:4], lambda run: np.full(2, 0.5))  # Two rows are left to train.
    first = CliRunner().invoke(app, command, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "CutMix for T-PatchMix" in first.output
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["table"] == 3
    assert [cell["row"] for cell in told["cells"]] == [row.key for row in TABLES["3"]]
    assert all(0 <= cell["mean"] <= 1 for cell in told["cells"])
    assert len(list((project.folder / "ablations").iterdir())) == 5

    def forbidden(*_args, **_options):
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(ablation.subprocess, "Popen", forbidden)
    again = CliRunner().invoke(app, command, catch_exceptions=False)
    assert again.stdout == first.stdout
    assert "5 runs in" in first.stderr
    assert "2 of 2" in first.stderr
    assert "5 of them finished before" in again.stderr


def test_ours_is_compared_with_supervised_training_of_the_same_mixing(snapshot, tmp_path):
    base = RunConfig.parse(TINY)
    runs = {run.row.key: run for run in plan("gain", snapshot, base, [2], 1, tmp_path)}
    assert len(runs["ours"].snapshot.labeled) == 2
    ours, mixing = runs["ours"].config, runs["mixing"].config
    assert (ours.views, ours.method) == (base.views, base.method)
    assert mixing.views == ours.views
    assert mixing.method.model_dump() | {"name": "semi-medref"} == ours.method.model_dump()
    longer, once = runs["mixing-longer"].config.training, base.training
    assert longer.steps == round(EQUAL_TIME * once.steps)
    assert longer.evaluate_every == round(EQUAL_TIME * once.evaluate_every)
    recipe, plain = runs["paper-whole"].config, runs["plain"].config
    assert (recipe.views, recipe.method) == (preset("paper").views, preset("paper").method)
    assert plain.views == recipe.views
    assert recipe.network == ours.network
    # The papers count the steps of burn-in; only ours waits for the labeled films and restarts the rate there.
    settings = {key: run.config.training for key, run in runs.items()}
    papers = [value for key, value in settings.items() if key.startswith("paper")]
    assert {(each.burn_in_until, each.rate_restarts) for each in papers} == {(0, False)}
    assert settings["ours"].burn_in_until == base.training.burn_in_until > 0
    assert settings["ours"].rate_restarts

    pretend(list(runs.values()), lambda run: np.full(2, 0.5 + 0.1 * (run.row.key == "ours")))
    found = cells("gain", list(runs.values()))
    assert found["ours", 2].against == "mixing"
    compared = {
        each.other: each for each in comparisons("gain", list(runs.values())) if each.row == "ours"
    }
    assert set(compared) == {"mixing", "mixing-restart", "mixing-longer"}
    assert compared["mixing-longer"].gains == pytest.approx([0.1])
    assert compared["mixing-longer"].per_image == pytest.approx([0.1])
    told = lines("gain", found, [2], 1, "teacher")
    assert "2 labels" in told[0]
    assert told[-2].startswith("ours")
    assert "[+" in told[-2]


def test_lvits_rows_switch_text_epi_and_lv(snapshot, tmp_path):
    base = preset("lvit")  # Compares vectors of texts, which a network without text has not.
    runs = {run.row.key: run for run in plan("lvit", snapshot, base, [0.2], 1, tmp_path)}
    settings = {key: run.config for key, run in runs.items()}
    assert [*settings] == ["u-net", "tw", "tw-epi", "t", "t-lv", "t-epi", "t-epi-lv"]
    for key, config in settings.items():
        method, row = config.method, runs[key].row
        assert config.network.name == ("u-net" if key == "u-net" else "lvit-t")
        assert key == "u-net" or config.network.use_text == ("Text" in row.parts)
        learns = method.name == "lvit-epi"
        assert learns == bool({"EPI", "LV"} & {*row.parts})
        assert (learns and method.epi) == ("EPI" in row.parts)
        assert (learns and method.lambda_lv > 0) == ("LV" in row.parts)
    whole = settings["t-epi-lv"]
    assert (whole.method, whole.network, whole.views) == (base.method, base.network, base.views)
    assert momentum_for(settings["t-lv"].method, base.training, 8) == 0
    assert momentum_for(whole.method, base.training, 8) == 0.99


def test_lvits_table_takes_a_small_lvit_in_place_of_another_network():
    other, own = RunConfig.parse(TINY), preset("lvit")
    assert with_lvit(own) == own
    changed = with_lvit(other)
    assert changed.network == preset("lvit-small").network
    assert changed.method == preset("lvit-small").method
    assert (changed.training, changed.views) == (other.training, other.views)


def test_lvits_table_is_printed_with_four_figures_and_a_test(project, tmp_path):
    tiny = {**TINY, "network": {**TINY["network"], "name": "lvit-t"}}
    config = tmp_path / "tiny.json"
    config.write_text(RunConfig.parse(tiny).model_dump_json())
    asked = ["ablate", str(project.folder), "--table", "lvit", "--labels", "0.2,0.4", "--seeds"]
    asked += ["2", "--config", str(config), "--json", str(tmp_path / "out.json")]
    asked += ["--out", str(tmp_path / "runs")]
    base = RunConfig.parse(tiny)
    runs = plan("lvit", freeze(project), base, [0.2, 0.4], 2, tmp_path / "runs")
    kept = next(run for run in runs if run.row.key == "t-epi-lv")  # It is left to train.
    order = [row.key for row in TABLES["lvit"]]
    rest = [run for run in runs if run is not kept]
    pretend(rest, lambda run: np.full(2, 0.3 + 0.1 * order.index(run.row.key)))
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    head, first, *others = result.stdout.strip().splitlines()
    assert head.split()[:5] == ["Labels", "Method", "Text", "EPI", "LV"]
    assert head.split()[-1] == "p"
    named = [
        "20",
        "%",
        f"({len(kept.snapshot.labeled)})",
        "U-Net,",
        "image",
        "alone",
        "-",
        "-",
        "-",
    ]
    assert first.split()[:9] == named
    assert first.count("30.00 ± 0.00") == 4
    assert sum(line.startswith("40 %") for line in others) == len(order)
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["table"] == "lvit"
    assert {(cell["row"], cell["share"]) for cell in told["cells"]} == {
        (key, share) for key in order for share in (0.2, 0.4)
    }
    for cell in told["cells"]:
        assert set(cell["figures"]) == set(FIGURES)
        assert (cell["p"] is None) == (cell["row"] == "t-epi-lv")
    assert RunFolder(kept.folder).scores_file.exists()


def test_some_rows_of_a_table_can_be_had_alone(snapshot, tmp_path):
    runs = plan("gain", snapshot, RunConfig.parse(TINY), [0.2], 1, tmp_path, keys=["ours", "plain"])
    assert [run.row.key for run in runs] == ["plain", "ours"]
    pretend(runs, lambda run: np.full(2, 0.5))
    found = cells("gain", runs)
    assert found["ours", 0.2].p is None  # What it is compared with was not asked for.
    assert [line.split()[0] for line in lines("gain", found, [0.2], 1, "teacher")[1:3]] == [
        "supervised",
        "ours",
    ]
    with pytest.raises(SemiMedRefError, match="no row theirs"):
        plan("gain", snapshot, RunConfig.parse(TINY), [0.2], 1, tmp_path, keys=["theirs"])


def test_a_run_that_fails_says_why_and_leaves_what_was_done(project, snapshot, tmp_path):
    runs = plan("3", snapshot, RunConfig.parse({**TINY, "device": "cuda:9"}), [0.2], 1, tmp_path)
    with pytest.raises(SemiMedRefError, match="cuda:9"):
        run_all(runs[:1], 1)
    assert runs[0].folder.is_dir()


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A driver that names two GPUs."""
    driver = tmp_path / "bin" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text("#!/bin/sh\nprintf 'GPU-a\\nGPU-b\\n'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(driver.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.skipif(os.name == "nt", reason="the driver of this test is a shell script")
def test_trainers_side_by_side_get_a_gpu_each(two_gpus, snapshot, tmp_path, monkeypatch):
    assert visible_gpus() == ["GPU-a", "GPU-b"]
    begun, both = [], threading.Barrier(2, timeout=20)

    class NoTrainer(subprocess.Popen):
        def __init__(self, command, env=None, **options):
            if command[0] != sys.executable:
                super().__init__(command, env=env, **options)
                return
            begun.append(None if env is None else env["CUDA_VISIBLE_DEVICES"])
            both.wait()
            super().__init__([sys.executable, "-c", ""], **options)

    base = RunConfig.parse({**TINY, "device": "auto"})
    runs = plan("3", snapshot, base, [0.2], 1, tmp_path)
    monkeypatch.setattr(ablation.subprocess, "Popen", NoTrainer)
    run_all(runs[:2], 2)
    assert sorted(begun) == ["GPU-a", "GPU-b"]

    begun.clear()
    on_cpu = plan("3", snapshot, RunConfig.parse(TINY), [0.2], 1, tmp_path / "cpu")
    run_all(on_cpu[:2], 2)
    assert begun == [None, None]


def test_gpus_that_were_given_are_the_only_ones(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert visible_gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
