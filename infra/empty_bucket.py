"""Empty the bucket of a deployed stack, which CloudFormation deletes only when it is empty: `python -m infra.empty_bucket`."""

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.config import Config, ConfigError
from infra.context import read_config, read_context, staged
from infra.deployed import agreed, outputs_of, region_of


def bucket_of(config: Config) -> str:
    """Return the name of the bucket of the deployed stack; an empty string if the stack has none, or is not deployed.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    return (outputs_of(config.full_name, region_of(config)) or {}).get("BucketName", "")


def empty(bucket: Any) -> int:
    """Delete all objects of a bucket and all unfinished uploads, and return how many objects there were.

    Raises:
        BotoCoreError, ClientError: AWS refuses it.
    """
    deleted = sum(len(page.get("Deleted", [])) for page in bucket.objects.all().delete())
    for upload in bucket.multipart_uploads.all():
        upload.abort()
    return deleted


def main() -> int:
    """Empty the bucket if whoever calls agrees, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default="", help="the stage of the stack, as infra/cdk.json lists it")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    try:
        config = read_config(staged(read_context(), options.stage))
        name = bucket_of(config)
        if not name:
            print(f"{config.full_name} has no bucket to empty.")
            return 0
        if not options.yes and not agreed(f"Delete everything in the bucket {name} of {config.full_name}?"):
            print("Nothing was deleted.", file=sys.stderr)
            return 1
        print(f"{name}: {empty(boto3.resource('s3', region_name=region_of(config)).Bucket(name))} objects deleted")
    except (ConfigError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
