"""AWS Secrets Manager: the keys of signed links."""

import asyncio
from contextlib import closing

from transcoder.errors import TranscoderError

_SECONDS = 5
_ATTEMPTS = 3


class SecretError(TranscoderError):
    """The keys of signed links cannot be read; that is the operator's to mend, and no caller learns more than that."""


async def signing_keys(arn: str) -> tuple[bytes, ...]:
    """Read the keys that the secret `arn` holds, one a line; the first is the one that signs, all are good for checking.

    Each call asks AWS anew: keep what it gives. Source: Secrets Manager API reference, GetSecretValue.

    Raises:
        SecretError: the secret cannot be read, or holds no key.

    """
    return await asyncio.to_thread(_read, arn)


def _read(arn: str) -> tuple[bytes, ...]:
    # Loading boto3 takes longer than all else at a start, and most functions sign nothing.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    limits = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"})
    try:
        with closing(boto3.session.Session().client("secretsmanager", config=limits)) as client:
            text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        raise SecretError("The keys of signed links cannot be read.") from error
    keys = tuple(line.strip().encode() for line in text.splitlines() if line.strip())
    if not keys:
        raise SecretError("The secret for signed links holds no key.")
    return keys
