"""Reads the configuration from the context in cdk.json."""

from collections.abc import Mapping
from dataclasses import fields
from typing import cast

from infra.config import Config, ConfigError
from infra.config_rules import check


def read_config(keys: Mapping[str, object], *, arch: str | None = None) -> Config:
    """Return the configuration of `transcoder` in the context; `arch` overrides its value.

    Raises:
        ConfigError: a key is unknown, or a value is invalid.
    """
    known = {field.name: field for field in fields(Config)}
    values: dict[str, object] = {}
    for name, value in {**keys, **({"arch": arch} if arch else {})}.items():
        if name not in known:
            raise ConfigError(f"transcoder.{name} is not a known key; the keys are {', '.join(known)}.")
        values[name] = _value(name, value, known[name].type)
    config = Config(**values)  # type: ignore[arg-type]  # each value has its field's type
    check(config)
    return config


def staged(context: Mapping[str, object], stage: str) -> Mapping[str, object]:
    """Return the keys of `transcoder` in the context, with those that differ in a stage; an empty `stage` has none.

    Raises:
        ConfigError: the context does not list the stage.
    """
    keys, stages = (cast("Mapping[str, object]", context.get(name) or {}) for name in ("transcoder", "stages"))
    if not stage:
        return keys
    if stage not in stages:
        listed = f"it has {', '.join(stages)}" if stages else "it has none"
        raise ConfigError(f"stage: {stage!r} is not one of the stages in infra/cdk.json; {listed}.")
    return {**keys, "stage": stage, **cast("Mapping[str, object]", stages[stage])}


def _value(name: str, value: object, expected: object) -> object:
    """Return `value` with the type of its field; `expected` is one of the field types of `Config`."""
    if expected == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    # In Python a bool is an int; here it is not.
    elif isinstance(expected, type) and isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return value
    raise ConfigError(f"{name}: {value!r} does not have the type that this key requires.")
