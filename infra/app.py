"""Describes the stack for CloudFormation: `python -m infra.app`, which the AWS CDK's command line runs as well."""

import argparse
import json
import os
import sys
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.config import Config, ConfigError
from infra.function import Packages
from infra.packages.target import TARGETS
from infra.stack import TranscoderStack

_HERE = Path(__file__).resolve().parent


def describe(app: App, config: Config, packages: Packages) -> TranscoderStack:
    """Put the stack into `app`, held against the rules of AWS's Well-Architected solutions and of serverless ones."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    return TranscoderStack(app, config=config, packages=packages)


def main() -> int:
    """Write the template into `cdk.out`, or where the CDK's command line wants it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, help="instead of what the context says")
    asked = parser.parse_args().arch
    context = json.loads((_HERE / "cdk.json").read_text(encoding="utf-8"))["context"]
    # The command line hands over its own folder and context; by itself the library would write into one that vanishes.
    app = App(context=context, outdir=os.environ.get("CDK_OUTDIR") or str(_HERE / "cdk.out"))
    try:
        config = Config.from_context(app.node.try_get_context("transcoder") or {}, arch=asked or app.node.try_get_context("arch"))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    target = TARGETS[config.arch]
    packages = Packages(function=target.function_zip, layer=target.layer_zip)
    for path, verb in ((packages.function, "package"), (packages.layer, "layer")):
        if not path.exists():
            print(f"{path} is not there; make it: make {verb} ARCH={config.arch}", file=sys.stderr)
            return 1
    describe(app, config, packages)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
