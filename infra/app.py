"""Synthesize the CloudFormation templates: `python -m infra.app`, which the AWS CDK command line also runs."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.config import GLOBAL_REGION, Config, ConfigError
from infra.config_rules import check
from infra.context import read_config, read_context, staged
from infra.function import Packages
from infra.global_names import global_keys
from infra.global_stacks import add_front_stacks, add_traffic_stack
from infra.packages.film import FILM
from infra.packages.target import TARGETS
from infra.place import Place
from infra.stack import TranscoderStack

_HERE = Path(__file__).resolve().parent
EXAMPLES = {path.stem: path for path in sorted((_HERE / "examples").glob("*.json"))}
"""Configurations to begin with, by name."""


def add_stacks(app: App, config: Config, packages: Packages, place: Place | None = None) -> TranscoderStack:
    """Add the stack to `app`, and those in us-east-1 that it needs if it is in another region; cdk-nag checks all of them.

    Raises:
        ConfigError: it depends on the region whether there are more stacks, and that is not known.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    place = place or Place(config.region)
    if not place.region and (keys := global_keys(config)):
        raise ConfigError(f"region: {', '.join(keys)} need something in {GLOBAL_REGION}; name the stack's region.")
    elsewhere = place.region != GLOBAL_REGION and bool(global_keys(config))
    front_stacks = add_front_stacks(app, config, place) if elsewhere else None
    stack = TranscoderStack(app, config=config, packages=packages, place=place, front_stacks=front_stacks)
    if elsewhere and config.traffic_alarm_gb and stack.distribution:
        add_traffic_stack(app, config, place, stack.distribution)
    return stack


def main() -> int:
    """Write the templates to `cdk.out`, or to the folder that the CDK command line gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, help="the architecture of the function; overrides the context")
    parser.add_argument("--example", choices=EXAMPLES, help="use this example in place of what infra/cdk.json says")
    parser.add_argument("--stage", help="the stage, as infra/cdk.json lists it; overrides the context")
    options = parser.parse_args()
    try:
        context = read_context(given=os.environ.get("CDK_CONTEXT_JSON", ""))
        config = _config(context, options)
        place = _place(config, os.environ)
        # The CDK command line passes its own output folder; without it, the library would write to a folder that it deletes.
        app = App(context=dict(context), outdir=os.environ.get("CDK_OUTDIR") or str(_HERE / "cdk.out"))
        add_stacks(app, config, _packages(config), place)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    app.synth()
    return 0


def _place(config: Config, environ: Mapping[str, str]) -> Place:
    """Return where to deploy to: the configured region, or that of the CDK command line if it tells one.

    Raises:
        ConfigError: what the configuration names is in another region.
    """
    place = Place(config.region or environ.get("CDK_DEFAULT_REGION", ""), environ.get("CDK_DEFAULT_ACCOUNT", ""))
    check(replace(config, region=place.region))
    return place


def _config(context: Mapping[str, object], options: argparse.Namespace) -> Config:
    arch = options.arch or context.get("arch")
    if options.example:
        return read_config(json.loads(EXAMPLES[options.example].read_text(encoding="utf-8")), arch=arch)
    return read_config(staged(context, options.stage or context.get("stage")), arch=arch)


def _packages(config: Config) -> Packages:
    """Return the packages.

    Raises:
        ConfigError: one has not been made yet.
    """
    target = TARGETS[config.arch]
    packages = Packages(function=target.function_zip, layer=target.layer_zip, film=FILM)
    for path, goal in ((packages.function, "package"), (packages.layer, "layer"), (packages.film, "film")):
        if not path.exists():
            raise ConfigError(f"{path} does not exist; run make {goal} ARCH={config.arch}")
    return packages


if __name__ == "__main__":
    sys.exit(main())
