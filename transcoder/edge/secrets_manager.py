"""AWS Secrets Manager: the keys of signed links."""

import asyncio
from contextlib import closing

from transcoder.edge.s3_client import aws_sdk
from transcoder.errors import TranscoderError

_TIMEOUT_SECONDS = 5
_MAX_ATTEMPTS = 3


class SecretError(TranscoderError):
    """The keys of signed links cannot be read. Only the operator can fix that, so the message tells callers nothing more."""


async def signing_keys(arn: str) -> tuple[bytes, ...]:
    """Read the keys in the secret `arn`, one per line: the first one signs, all are accepted when a signature is checked.

    Every call sends a request to AWS, so keep the result. Source: Secrets Manager API reference, GetSecretValue.

    Raises:
        SecretError: the secret cannot be read, or contains no key.

    """
    return await asyncio.to_thread(_read, arn)


def _read(arn: str) -> tuple[bytes, ...]:
    # Importing boto3 takes longer than everything else at startup, and most functions sign nothing.
    with aws_sdk("The keys of signed links in AWS Secrets Manager (TRANSCODER_SIGNING_SECRET_ARN)"):
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    config = Config(
        connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        retries={"total_max_attempts": _MAX_ATTEMPTS, "mode": "standard"},
    )
    try:
        with closing(boto3.session.Session().client("secretsmanager", config=config)) as client:
            text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        raise SecretError("The keys of signed links cannot be read.") from error
    keys = tuple(line.strip().encode() for line in text.splitlines() if line.strip())
    if not keys:
        raise SecretError("The secret for signed links contains no key.")
    return keys
