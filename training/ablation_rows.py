"""The rows of the papers' ablation tables, each a few changed settings. Nothing is run here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Sections = dict[str, dict[str, Any]]
PARTS = ("T-S", "PosAug", "T-PatchMix", "ITCL")


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
        Which of `PARTS` it has.
    changes : dict
        Settings that differ from the whole method, by section.
    """

    key: str
    title: str
    parts: tuple[str, ...] = PARTS
    changes: Sections = field(default_factory=dict)


_NO_POSAUG = {"posaug_probability": 0.0}
_NO_PATCHES = {"patch_probability": 0.0}
_NO_ITCL = {"lambda_labeled_itcl": 0.0, "lambda_unlabeled_itcl": 0.0}
WHOLE = Row("whole", "Semi-MedRef")
TABLES: dict[int, tuple[Row, ...]] = {
    2: (
        Row("supervised", "baseline", (), {"method": {"name": "supervised", **_NO_ITCL}}),
        Row("ts", "+ T-S", PARTS[:1], {"views": _NO_POSAUG | _NO_PATCHES, "method": _NO_ITCL}),
        Row("ts-posaug", "+ PosAug", PARTS[:2], {"views": _NO_PATCHES, "method": _NO_ITCL}),
        Row("ts-posaug-patch", "+ T-PatchMix", PARTS[:3], {"method": _NO_ITCL}),
        Row("whole", "+ ITCL"),
    ),
    3: (
        Row(
            "cutmix",
            "CutMix for T-PatchMix",
            changes={"views": {"patch_kind": "cutmix", "patch_probability": 0.5}},
        ),
        Row("textstrong", "TextStrong for PosAug", changes={"views": {"text_change": "textstrong"}}),
        Row("spc", "SPC for T-PatchMix", changes={"views": {**_NO_PATCHES, "flip_probability": 0.5}}),
        Row("clip", "CLIP for ITCL", changes={"method": {"itcl_targets": "identity"}}),
        WHOLE,
    ),
}  # fmt: skip
