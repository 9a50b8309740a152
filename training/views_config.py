"""How images and words are varied: the settings of views, mixing and text changes."""

from __future__ import annotations

from typing import Literal

from training.network_config import Settings, choice, number


class ViewsConfig(Settings):
    """How images and words are varied."""

    zoom_min: float = number(0.85, 0.5, 1.0, 0.01, "Smallest zoom of the weak view.")
    zoom_max: float = number(1.20, 1.0, 2.0, 0.01, "Largest zoom of the weak view.")
    zoom_probability: float = number(1.0, 0, 1, 0.05, "Share of weak views that are zoomed.")
    flip_probability: float = number(
        0.0, 0, 1, 0.05, "Share of strong unlabeled views that are mirrored, words included (SPC)."
    )
    shift: float = number(0.06, 0, 0.3, 0.01, "Largest shift of a weak view (share of the side).")
    brightness: float = number(0.4, 0, 1, 0.05, "Largest change of brightness in a strong view.")
    contrast: float = number(0.4, 0, 1, 0.05, "Largest change of contrast in a strong view.")
    jitter_probability: float = number(0.8, 0, 1, 0.05, "Share of strong views with jitter.")
    blur_probability: float = number(0.5, 0, 1, 0.05, "Share of strong views that are blurred.")
    blur_sigma: float = number(
        0.009, 0, 0.05, 0.001, "Largest blur of a strong view (sigma, share of the side)."
    )
    text_change: Literal["posaug", "textstrong"] = choice(
        "posaug", "posaug: hides positions; textstrong: drops, replaces and swaps any words."
    )
    labeled_photometry: bool = choice(
        True, "Whether labeled views change in brightness, contrast and sharpness too."
    )
    posaug_probability: float = number(
        0.15, 0, 1, 0.05, "Probability that a position phrase of the student's text is hidden."
    )
    posaug_fuzz_share: float = number(
        0.5, 0, 1, 0.05, "Share of hidden phrases replaced by a vague one instead of removed."
    )
    patch_kind: Literal["t-patchmix", "cutmix"] = choice(
        "t-patchmix", "t-patchmix: placed, gated and told in words; cutmix: any place, image only."
    )
    patch_probability: float = number(
        0.25, 0, 1, 0.05, "Share of strong views that get patches of another film."
    )
    labeled_patch_probability: float = number(
        0.5, 0, 1, 0.05, "Share of labeled views that get patches of another labeled film."
    )
    patch_position_share: float = number(
        0.5, 0, 1, 0.05, "Share of mixes inside the text's zones; the rest follow probability."
    )
    patch_block: float = number(
        0.143, 0.03, 0.5, 0.01, "Side of a T-PatchMix block (share of the image's side)."
    )
    patch_blocks: int = number(3, 1, 16, 1, "Most blocks in one mix.")
    patch_text: Literal["zones", "conjunction", "replace"] = choice(
        "zones",
        "Words after a patch: the zones that now hold lesions, both texts' zones, or the partner's.",
    )
    patch_gate: float = number(
        0.25, 0, 1, 0.05, "Least mean probability of a lesion inside the donor's blocks."
    )
    side_mix_probability: float = number(
        0.5, 0, 1, 0.05, "Share of labeled views that get a lung side of another labeled film."
    )
    side_paste_probability: float = number(
        0.5, 0, 1, 0.05, "Share of strong unlabeled views that get a side of a labeled film."
    )
