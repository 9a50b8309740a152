"""The rows of the ablation tables, each a few changed settings. Nothing is run here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training.config import RunConfig, preset

Sections = dict[str, dict[str, Any]]
PARTS = ("T-S", "PosAug", "T-PatchMix", "ITCL")
LVIT_PARTS = ("Text", "EPI", "LV")
# A round with half of burn-in took 1.42 (64 pixels) and 1.46 times (96) as long as a supervised one of the same steps,
# two trainers side by side on two cores; the papers' recipe, with a quarter of burn-in, would take 1.63 and 1.69 times.
EQUAL_TIME = 1.45
PAPERS_TIME = 1.65


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes
    ----------
    key : str
        Names the row's run folders.
    title : str
        As printed.
    parts : tuple of str
        Which of `PARTS`, or of `LVIT_PARTS`, it has.
    changes : dict
        Settings that differ from the given ones, by section.
    against : str or None
        Key of the row it is compared with.
    beside : tuple of str
        Keys of further rows it is compared with.
    stretch : float
        Steps of its runs, as a multiple of the given ones.
    """

    key: str
    title: str
    parts: tuple[str, ...] = PARTS
    changes: Sections = field(default_factory=dict)
    against: str | None = None
    beside: tuple[str, ...] = ()
    stretch: float = 1.0


_NO_POSAUG = {"posaug_probability": 0.0}
_NO_PATCHES = {"patch_probability": 0.0}
_NO_ITCL = {"lambda_labeled_itcl": 0.0, "lambda_unlabeled_itcl": 0.0}
_SUPERVISED: Sections = {"method": {"name": "supervised", **_NO_ITCL}}
WHOLE = Row("whole", "Semi-MedRef")


def _paper_at_this_size() -> tuple[Row, ...]:
    """The papers' recipe (views, hard pseudo-masks, weights, short burn-in) on whatever network is given."""
    paper = preset("paper")
    views, method = paper.views.model_dump(), paper.method.model_dump()

    def row(key: str, title: str, count: int, less: Sections, stretch: float = 1.0) -> Row:
        changes = {
            "views": views | less.get("views", {}),
            "method": method | less.get("method", {}),
            # 5 of 20 epochs
            "training": {"burn_in": 0.25, "burn_in_until": 0.0, "rate_restarts": False},
        }
        if key == "plain":
            return Row(key, title, PARTS[:count], changes)
        beside = () if key == "plain-longer" else ("paper-plain-longer",)
        return Row(f"paper-{key}", title, PARTS[:count], changes, "plain", beside, stretch)

    return (
        row("plain", "supervised", 0, _SUPERVISED),
        row("plain-longer", "supervised, as long", 0, _SUPERVISED, PAPERS_TIME),
        row("ts", "+ T-S EMA", 1, {"views": _NO_POSAUG | _NO_PATCHES, "method": _NO_ITCL}),
        row("ts-posaug", "+ PosAug", 2, {"views": _NO_PATCHES, "method": _NO_ITCL}),
        row("ts-posaug-patch", "+ T-PatchMix", 3, {"method": _NO_ITCL}),
        row("whole", "+ ITCL", 4, {}),
    )  # fmt: skip


def _lvit(key: str, title: str, parts: tuple[str, ...], network: dict[str, Any]) -> Row:
    """A row of LViT's table; with neither EPI nor LV it learns from the labeled pool alone."""
    method: dict[str, Any] = {"name": "supervised", "lambda_zones": 0.0, **_NO_ITCL}
    if "EPI" in parts or "LV" in parts:
        method |= {"name": "lvit-epi", "epi": "EPI" in parts}
    if "LV" not in parts:
        method |= {"lambda_lv": 0.0, "lv_match": "zones"}
    changes = {"network": network, "method": method}
    return Row(key, title, parts, changes, None if key == "t-epi-lv" else "t-epi-lv")


def _lvit_rows() -> tuple[Row, ...]:
    deaf, hearing = {"use_text": False}, {"use_text": True}
    return (
        _lvit("u-net", "U-Net, image alone", (), {"name": "u-net"}),
        _lvit("tw", "LViT without text", (), deaf),
        _lvit("tw-epi", "LViT without text", ("EPI",), deaf),
        _lvit("t", "LViT", ("Text",), hearing),
        _lvit("t-lv", "LViT", ("Text", "LV"), hearing),
        _lvit("t-epi", "LViT", ("Text", "EPI"), hearing),
        _lvit("t-epi-lv", "LViT", LVIT_PARTS, hearing),
    )


_SIDES_ALONE = {"labeled_patch_probability": 0.0}
_NO_MIXING = _SIDES_ALONE | {"side_mix_probability": 0.0}


def _ours_without() -> tuple[Row, ...]:
    """The default method without one of its parts."""

    def row(key: str, title: str, **changes: dict[str, Any]) -> Row:
        return Row(f"ours-no-{key}", f"ours without {title}", PARTS, changes, "ours")

    return (
        row("atlas", "the zone atlas", method={"zone_prior": 0.0}),
        row("posaug", "PosAug", views=_NO_POSAUG),
        row("patches", "T-PatchMix", views=_NO_PATCHES),
        row("sides", "labeled sides in unlabeled films", views={"side_paste_probability": 0.0}),
        row("itcl", "ITCL", method=_NO_ITCL),
        row("zones", "zone reading", method={"lambda_zones": 0.0}),
        row("restart", "the restarted rate", training={"rate_restarts": False}),
    )


_ALONE: Sections = {"method": {"name": "supervised"}}
TABLES: dict[str, tuple[Row, ...]] = {
    "2": (
        Row("supervised", "baseline", (), _SUPERVISED),
        Row("ts", "+ T-S", PARTS[:1], {"views": _NO_POSAUG | _NO_PATCHES, "method": _NO_ITCL}, "supervised"),
        Row("ts-posaug", "+ PosAug", PARTS[:2], {"views": _NO_PATCHES, "method": _NO_ITCL}, "ts"),
        Row("ts-posaug-patch", "+ T-PatchMix", PARTS[:3], {"method": _NO_ITCL}, "ts-posaug"),
        Row("whole", "+ ITCL", against="ts-posaug-patch"),
    ),
    "3": (
        Row(
            "cutmix",
            "CutMix for T-PatchMix",
            changes={"views": {"patch_kind": "cutmix"}},
            against="whole",
        ),
        Row("textstrong", "TextStrong for PosAug", PARTS, {"views": {"text_change": "textstrong"}}, "whole"),
        Row("spc", "SPC for T-PatchMix", PARTS, {"views": {**_NO_PATCHES, "flip_probability": 0.5}}, "whole"),
        Row("clip", "CLIP for ITCL", PARTS, {"method": {"itcl_targets": "identity"}}, "whole"),
        WHOLE,
    ),
    "gain": (
        *_paper_at_this_size(),
        Row("views", "supervised, our views and zone reading", (), _ALONE | {"views": _NO_MIXING}, "plain"),
        Row("sides", "+ sides of labeled films", (), _ALONE | {"views": _SIDES_ALONE}, "plain", ("views",)),
        Row("mixing", "+ patches of labeled films", (), _ALONE, "plain", ("sides",)),
        Row("mixing-longer", "the same mixing, as long", (), _ALONE, "plain", stretch=EQUAL_TIME),
        Row(
            "mixing-restart",
            "the same mixing, its rate restarted as ours",
            (),
            {"method": {"lambda_u": 0.0}},  # no step learns from unlabeled films: ours without them
            against="mixing",
        ),
        *_ours_without(),
        Row(
            "ours-hard",
            "ours with hard pseudo-masks",
            changes={"method": {"targets": "hard"}},
            against="mixing",
            beside=("ours", "mixing-longer"),
        ),
        Row("ours", "ours", against="mixing", beside=("mixing-restart", "mixing-longer")),
    ),
    "lvit": _lvit_rows(),
}  # fmt: skip


def with_lvit(settings: RunConfig) -> RunConfig:
    """Settings for LViT's table: as they are if their network is an LViT, else with that of ``lvit-small``.

    Views, training, seed and device stay; network and method become the preset's.
    """
    if settings.network.name.startswith("lvit"):
        return settings
    small = preset("lvit-small")
    return settings.model_copy(update={"network": small.network, "method": small.method})
