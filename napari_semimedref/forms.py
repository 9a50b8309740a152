"""Settings to forms and back: a pydantic model becomes a magicgui container whose bounds, steps and tooltips come from
the model's fields. Knows no particular setting."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FloatSpinBox,
    LineEdit,
    SpinBox,
    Widget,
)
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from training.errors import ConfigError

MOST_DECIMALS = 8


def form_for(settings: BaseModel) -> Container[Widget]:
    """A form with one field for each plain setting; models within the model need forms of their own."""
    fields = type(settings).model_fields
    widgets = [_field(name, fields[name], getattr(settings, name)) for name in plain(settings)]
    return Container(widgets=widgets, labels=True)


def plain(settings: BaseModel) -> list[str]:
    """Names of the settings that are values, not models."""
    named = type(settings).model_fields
    return [name for name in named if not isinstance(getattr(settings, name), BaseModel)]


def read_form(form: Container[Widget], settings: BaseModel) -> dict[str, Any]:
    """What the form of ``settings`` says, as plain data for the settings' class to validate.

    Raises
    ------
    ConfigError
        A field cannot be understood; the sentence names it.
    """
    content: dict[str, Any] = {}
    for name in plain(settings):
        value: Any = getattr(settings, name)
        widget: Any = form[name]
        is_text = isinstance(widget, LineEdit)
        content[name] = _read_text(name, widget.value, value) if is_text else widget.value
    return content


def label_of(name: str) -> str:
    """A setting's name in words."""
    return name.replace("_", " ").capitalize()


def _field(name: str, field: FieldInfo, value: Any) -> Widget:
    options: dict[str, Any] = {"name": name, "label": label_of(name)}
    options["tooltip"] = field.description or ""
    if isinstance(value, bool):
        return CheckBox(value=value, **options)
    if get_origin(field.annotation) is Literal:
        return ComboBox(choices=list(get_args(field.annotation)), value=value, **options)
    if isinstance(value, int):
        return SpinBox(value=value, **_bounds(field), **options)
    if isinstance(value, float):
        return _float_box(value, _bounds(field), options)
    return LineEdit(value=_text_of(value), **options)


def _bounds(field: FieldInfo) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for rule in field.metadata:
        for ours, theirs in (("min", "ge"), ("max", "le")):
            if getattr(rule, theirs, None) is not None:
                bounds[ours] = getattr(rule, theirs)
    extra = field.json_schema_extra
    bounds["step"] = extra.get("step", 1) if isinstance(extra, dict) else 1
    return bounds


def _float_box(value: float, bounds: dict[str, Any], options: dict[str, Any]) -> FloatSpinBox:
    box = FloatSpinBox(value=value, **bounds, **options)
    # A box of Qt rounds to its decimals; too few would turn 5e-5 into 0.
    box.native.setDecimals(max(_decimals(number) for number in (value, *bounds.values())))
    box.value = value
    return box


def _decimals(number: float) -> int:
    exponent = Decimal(repr(float(number))).normalize().as_tuple().exponent
    return min(MOST_DECIMALS, max(0, -int(exponent)))


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read_text(name: str, text: str, before: Any) -> Any:
    text = text.strip()
    if isinstance(before, tuple):
        try:
            return ast.literal_eval(f"({text},)")
        except (SyntaxError, ValueError) as error:
            raise ConfigError(f"{label_of(name)} is {text!r}: give numbers with commas.") from error
    if not text:
        return None
    return Path(text) if isinstance(before, Path) else text
