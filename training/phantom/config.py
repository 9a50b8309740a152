"""The knobs of the phantom. Only settings live here: nothing is drawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from training.errors import ConfigError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class PhantomConfig(BaseModel):
    """What the phantom's films, lesions and words are like.

    Raises
    ------
    ConfigError
        If a knob is out of its bounds or unknown; the sentence names the knob.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(256, ge=64, le=2048, description="Side of the square film, in pixels.")
    laterality: Literal["image", "patient"] = Field(
        "image", description="Whether 'left' in a description is the picture's or the patient's."
    )
    zone_prior: tuple[Weight, Weight, Weight, Weight, Weight, Weight] = Field(
        (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        description="Weights of the six zones Lu Lm Ll Ru Rm Rl of the picture.",
    )
    zones_per_case: tuple[Weight, Weight, Weight, Weight] = Field(
        (0.35, 0.35, 0.20, 0.10), description="Weights of 1, 2, 3 and 4 infected zones."
    )
    contrast: tuple[Share, Share] = Field(
        (0.10, 0.28), description="Range of a lesion's brightness above the lung, film range = 1."
    )
    distractor_probability: Share = Field(
        0.6, description="Share of infected films that also show 1 or 2 lesions nobody mentions."
    )
    negatives: Share = Field(0.0, description="Share of films without any lesion.")
    wrong_words: Share = Field(
        0.0,
        description="Share of infected films described with a wrong side, a zone too few, or no "
        "position.",
    )
    shift: Share = Field(
        0.0, description="Distance of the scanner from the usual: gamma, noise, inverted films."
    )
    near_duplicates: Share = Field(
        0.0, description="Share of neighboring pairs (2k, 2k+1) that show the same moment twice."
    )
    two_films: Share = Field(
        0.15, description="Share of patients with two films, when nothing is a near duplicate."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _speak_in_a_sentence(
        cls, value: Any, handler: ModelWrapValidatorHandler[PhantomConfig]
    ) -> PhantomConfig:
        try:
            config = handler(value)
        except ValidationError as error:
            first = error.errors()[0]
            knob = ".".join(str(part) for part in first["loc"])
            reason = first["msg"][0].lower() + first["msg"][1:]
            raise ConfigError(
                f"The phantom's setting '{knob}' cannot be {first['input']!r}: {reason}."
            ) from error
        config._check_ranges()
        return config

    def _check_ranges(self) -> None:
        if self.contrast[0] > self.contrast[1]:
            raise ConfigError(
                f"The phantom's setting 'contrast' runs from {self.contrast[0]} down to "
                f"{self.contrast[1]}: give the smaller number first."
            )
        possible = sum(weight > 0 for weight in self.zone_prior)
        wanted = max((n for n, w in enumerate(self.zones_per_case, start=1) if w > 0), default=0)
        if wanted == 0 or wanted > possible:
            raise ConfigError(
                f"The phantom's setting 'zones_per_case' asks for up to {wanted} zones while "
                f"'zone_prior' allows {possible}: give both positive weights that fit together."
            )
