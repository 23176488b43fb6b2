"""S3: an object's own HTTPS address, signed, so that it is fetched as any other file is."""

import asyncio
from contextlib import closing

from transcoder.errors import UpstreamError

_SECONDS = 3600
"""So long may its fetching take: more than an invocation lives."""


async def signed_address(bucket: str, key: str) -> str:
    """Return an address of an object that needs nothing but itself to be fetched; whether there is such an object it does not tell.

    Raises:
        UpstreamError: there are no credentials to sign with.

    """
    return await asyncio.to_thread(_sign, bucket, key)


def _sign(bucket: str, key: str) -> str:
    # Loading it takes a third of a second, which only those who ask for an object are to pay.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        with closing(boto3.session.Session().client("s3", config=Config(signature_version="s3v4"))) as client:
            address: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=_SECONDS)
    except BotoCoreError as error:
        raise UpstreamError(f"The address of {key.rpartition('/')[2][:100]} in S3 cannot be signed: {error}.") from error
    return address
