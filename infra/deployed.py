"""What CloudFormation says about deployed stacks, and whoever calls about deleting them."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.config import Config


def region_of(config: Config) -> str | None:
    """Return the region that the CDK's command line would take; boto3 does not know `AWS_REGION`. None: there is none."""
    return config.region or os.environ.get("AWS_REGION") or boto3.Session().region_name


def outputs_of(name: str, region: str | None) -> Mapping[str, str] | None:
    """Return the outputs of a stack; None if it is not deployed.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    try:
        (stack,) = cloudformation(region).describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def template_of(name: str, region: str) -> str:
    """Return the template of a deployed stack as JSON; an empty string if it is not deployed.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if outputs_of(name, region) is None:
        return ""
    return json.dumps(cloudformation(region).get_template(StackName=name)["TemplateBody"])


def descriptions(region: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the description of each stack in a region.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    for page in cloudformation(region).get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            yield stack["StackName"], stack.get("Description", "")


def cloudformation(region: str | None) -> Any:
    """Return a client of CloudFormation."""
    return boto3.client("cloudformation", region_name=region)


def agreed(question: str) -> bool:
    """Ask whoever calls; anything but y, also the end of the input, is a no."""
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() == "y"
