"""Synthesize the stack's CloudFormation template: `python -m infra.app`, which the AWS CDK command line also runs."""

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


def add_stack(app: App, config: Config, packages: Packages) -> TranscoderStack:
    """Add the stack to `app`, which checks it with cdk-nag's rules for AWS Solutions and for serverless applications."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    return TranscoderStack(app, config=config, packages=packages)


def main() -> int:
    """Write the template to `cdk.out`, or to the folder that the CDK command line gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, help="the architecture of the function; overrides the context")
    arch = parser.parse_args().arch
    context = json.loads((_HERE / "cdk.json").read_text(encoding="utf-8"))["context"]
    # The CDK command line passes its own output folder and context; without it, the library would write to a folder that it deletes.
    app = App(context=context, outdir=os.environ.get("CDK_OUTDIR") or str(_HERE / "cdk.out"))
    try:
        config = Config.from_context(app.node.try_get_context("transcoder") or {}, arch=arch or app.node.try_get_context("arch"))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    target = TARGETS[config.arch]
    packages = Packages(function=target.function_zip, layer=target.layer_zip)
    for path, goal in ((packages.function, "package"), (packages.layer, "layer")):
        if not path.exists():
            print(f"{path} does not exist; run make {goal} ARCH={config.arch}", file=sys.stderr)
            return 1
    add_stack(app, config, packages)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
