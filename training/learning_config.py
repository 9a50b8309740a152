"""What a round learns from, and how long and fast: the settings of method and training."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from training.errors import ConfigError
from training.network_config import Settings, choice, number


class MethodConfig(Settings):
    """What the student learns from."""

    name: Literal["semi-medref", "lvit-epi", "supervised"] = choice(
        "semi-medref",
        "semi-medref, lvit-epi: labeled and unlabeled pools; supervised: labeled pool only.",
    )
    dice_only: bool = choice(False, "Leave the pixel-wise cross-entropy out.")
    targets: Literal["soft", "hard", "banded"] = choice(
        "soft", "What the student copies: probabilities, a mask, or a mask without its unsure band."
    )
    threshold: float = number(0.5, 0.05, 0.95, 0.05, "Probability where foreground begins.")
    band: float = number(0.7, 0.5, 0.99, 0.05, "Banded: ignored are those in (1 - band, band).")
    skip_empty: bool = choice(
        True,
        "Whether all but empty pseudo-masks teach no Dice and, where masks are cut, nothing at all.",
    )
    lambda_labeled_itcl: float = number(0.02, 0, 1, 0.01, "Weight of ITCL on the labeled pool.")
    lambda_u: float = number(1.0, 0, 10, 0.1, "Weight of the unlabeled pool after its ramp.")
    lambda_u_ramp: float = number(
        0.3, 0, 1, 0.05, "Share of the semi-supervised phase over which lambda_u rises."
    )
    lambda_unlabeled_itcl: float = number(0.1, 0, 1, 0.01, "Weight of ITCL on the unlabeled pool.")
    itcl_u_inside_ramp: bool = choice(
        True, "Whether lambda_u, ramp included, also weighs ITCL on the unlabeled pool."
    )
    itcl_temperature: float = number(0.07, 0.01, 1, 0.01, "Temperature of ITCL.")
    itcl_targets: Literal["zones", "identity"] = choice(
        "zones", "zones: overlap of the named zones (ITCL); identity: plain CLIP."
    )
    lambda_zones: float = number(
        0.1, 0, 1, 0.05, "Weight of reading the six zones back from the text vector."
    )
    ema_start: float = number(0.95, 0, 0.9999, 0.001, "EMA decay at the end of burn-in.")
    ema_end: float = number(0.99, 0, 0.9999, 0.001, "EMA decay after its ramp.")
    ema_ramp: float = number(
        0.3, 0, 1, 0.05, "Share of the semi-supervised phase over which the EMA decay rises."
    )
    epi: bool = choice(
        True, "lvit-epi: whether a case's map moves slowly; else it is the present prediction."
    )
    epi_momentum: float = number(
        0.0,
        0,
        0.9999,
        0.01,
        "lvit-epi: momentum of a case's map; 0: 1 - 2 / (generations of the run), at most 0.99.",
    )
    lambda_lv: float = number(0.1, 0, 10, 0.05, "lvit-epi: weight of the LV loss.")
    lv_match: Literal["zones", "text"] = choice(
        "zones", "lvit-epi: what likens texts for the LV loss: named zones, or text vectors."
    )
    lv_folder: str | None = choice(
        None, "lvit-epi: folder with LV_loss.xlsx and its figures; else the labeled pool serves."
    )
    zone_prior: float = number(
        1.0, 0, 2, 0.25, "semi-medref: weight of the zone atlas in pseudo-masks; 0: none."
    )
    empty_alarm: float = number(
        0.5, 0, 1, 0.05, "Share of empty pseudo-masks at which the unlabeled pool is left out."
    )

    @model_validator(mode="after")
    def _decay_rises(self) -> MethodConfig:
        if self.ema_end < self.ema_start:
            raise ConfigError("ema_end must not be below ema_start: raise it or lower ema_start.")
        return self


class TrainingConfig(Settings):
    """How long and how fast."""

    steps: int = number(600, 1, 1_000_000, 50, "Optimizer steps of the round.")
    burn_in: float = number(0.5, 0, 1, 0.05, "Least share of the steps on the labeled pool alone.")
    burn_in_until: float = number(
        1.5,
        0,
        10,
        0.1,
        "semi-medref: burn-in goes on until the teacher's error on the gate half is this many times that on its "
        "labeled films; 0: for its share of the steps.",
    )
    batch_labeled: int = number(8, 1, 1024, 1, "Labeled cases in a step.")
    batch_unlabeled: int = number(8, 1, 1024, 1, "Unlabeled cases in a step.")
    learning_rate: float = number(2e-3, 1e-6, 1e-1, 1e-4, "Largest learning rate of AdamW.")
    encoder_rate: float = number(
        1.0, 0.01, 1, 0.01, "Learning rate of the vision encoder (share of the others')."
    )
    rate_floor: float = number(
        0.01, 0, 1, 0.01, "Where the cosine of the learning rate ends (share of its largest)."
    )
    cosine_length: float = number(
        1.0, 1, 10, 0.1, "Length of the cosine in rounds; above 1 the round ends before it does."
    )
    rate_restarts: bool = choice(
        True, "Whether the learning rate begins anew, warm-up and cosine, where burn-in ends."
    )
    weight_decay: float = number(0.05, 0, 1, 0.01, "Weight decay of AdamW.")
    warm_up: float = number(0.05, 0, 0.5, 0.01, "Share of the steps over which the rate rises.")
    clip_norm: float = number(1.0, 0.01, 100, 0.1, "Largest norm of the gradient.")
    evaluate_every: int = number(100, 1, 1_000_000, 10, "Steps between evaluations on the gate.")
    patience: int = number(
        0, 0, 1000, 1, "Evaluations without a better model before stopping early; 0: never."
    )
    select_by: Literal["teacher", "student"] = choice(
        "teacher", "Whose Dice on the gate half decides which model is kept."
    )
    least_gain: float = number(
        0.0, 0, 0.1, 0.001, "Gain in Dice below which an evaluation counts as no better."
    )
    checkpoint_seconds: float = number(30, 1, 3600, 5, "Seconds between checkpoints.")
    evaluation_limit: int = number(
        200, 1, 100_000, 10, "Most gate cases in an evaluation before the last one."
    )
    warm_start: bool = choice(
        True, "Whether a round starts from the serving teacher's weights; else from random ones."
    )
    pseudo_masks: bool = choice(True, "Whether a round ends with pseudo-masks of all cases.")
    text_controls: bool = choice(
        True, "Whether the report half is measured again without words and with shuffled ones."
    )
    measured_cases: int = number(
        5000,
        0,
        1_000_000,
        500,
        "Most unlabeled cases whose disagreement and sensitivity are measured: two more passes each.",
    )
    threads: int = number(0, 0, 256, 1, "CPU threads; 0: one less than the machine has.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = choice(
        "32-true", "Arithmetic; the mixed ones are for GPUs."
    )
