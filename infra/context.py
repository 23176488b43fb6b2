"""Reads the configuration from the context in cdk.json."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import cast

from infra.config import Config, ConfigError
from infra.config_rules import check

CDK_JSON = Path(__file__).resolve().with_name("cdk.json")


def read_context(path: Path = CDK_JSON, *, given: str = "") -> Mapping[str, object]:
    """Return the context in `path`, which is a cdk.json; the JSON in `given`, which the CDK's command line passes on, overrides it.

    The CDK itself would lose what is null on the way through Node.js.

    Raises:
        ConfigError: the file cannot be read, or has no context.
    """
    try:
        document, overriding = json.loads(path.read_text(encoding="utf-8")), json.loads(given or "{}")
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path.name}: {error}.") from error
    return {**_members(_members(document, path.name).get("context"), "context"), **_members(overriding, "context")}


def read_config(keys: object, *, arch: object = None) -> Config:
    """Return the configuration of `transcoder` in the context; `arch` overrides its value.

    Raises:
        ConfigError: a key is unknown, or a value is invalid.
    """
    known = {field.name: field for field in fields(Config)}
    values: dict[str, object] = {}
    for name, value in {**_members(keys, "transcoder"), **({} if arch in (None, "") else {"arch": arch})}.items():
        if name not in known:
            raise ConfigError(f"transcoder.{name} is not a known key; the keys are {', '.join(known)}.")
        values[name] = _value(name, value, known[name].type)
    config = Config(**values)  # type: ignore[arg-type]  # each value has its field's type
    check(config)
    return config


def staged(context: Mapping[str, object], stage: object) -> Mapping[str, object]:
    """Return the keys of `transcoder` in the context, with those that differ in a stage; an empty `stage` has none.

    Raises:
        ConfigError: the context does not list the stage, or has something else than keys and values in their places.
    """
    keys, stages = (_members(context.get(name), name) for name in ("transcoder", "stages"))
    for name, value in stages.items():
        if value is None:
            raise ConfigError(f"stages.{name}: it is null; {{}} is a stage that differs in nothing but its name.")
        differences = _members(value, f"stages.{name}")
        if "stage" in differences:
            raise ConfigError(f"stages.{name}: it has the key stage, which is its own name already.")
        if keys.get("domain_name") and "domain_name" not in differences:
            raise ConfigError(
                f"stages.{name}: a domain name belongs to one distribution, and this stage would take that of transcoder; give it a "
                'domain_name, or "" with hosted_zone and certificate_arn "".'
            )
    if stage in (None, ""):
        return keys
    if not isinstance(stage, str) or stage not in stages:
        listed = f"it has {', '.join(stages)}" if stages else "it has none"
        raise ConfigError(f"stage: {stage!r} is not one of the stages in infra/cdk.json; {listed}.")
    return {**keys, "stage": stage, **_members(stages[stage], f"stages.{stage}")}


def _members(value: object, name: str) -> Mapping[str, object]:
    """Return the members of an object of JSON; null, like what is missing, has none."""
    if value is None or isinstance(value, dict):
        return cast("Mapping[str, object]", value or {})
    raise ConfigError(f"{name}: {value!r} is not an object, which is written {{…}}.")


def _value(name: str, value: object, expected: object) -> object:
    """Return `value` with the type of its field; `expected` is one of the field types of `Config`."""
    if expected == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(_printable(name, item) for item in value)
    # In Python a bool is an int; here it is not.
    elif isinstance(expected, type) and isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return _printable(name, value) if isinstance(value, str) else value
    raise ConfigError(f"{name}: {value!r} does not have the type that this key requires.")


def _printable(name: str, text: str) -> str:
    if not text.isprintable():
        raise ConfigError(f"{name}: {text!r} has a character that cannot be printed.")
    return text
