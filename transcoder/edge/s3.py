"""S3 objects: presigned HTTPS URLs, so that an object is fetched like any other file."""

import asyncio
from contextlib import closing

from transcoder.errors import UpstreamError

_EXPIRES_SECONDS = 3600
"""How long the URL is valid: longer than an invocation may run."""


async def presigned_url(bucket: str, key: str) -> str:
    """Return a URL that gives access to an object without credentials; whether the object exists is not checked.

    Raises:
        UpstreamError: there are no credentials to sign with.

    """
    return await asyncio.to_thread(_presign, bucket, key)


def _presign(bucket: str, key: str) -> str:
    # Importing boto3 takes a third of a second, so it is imported only when an S3 object is requested.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        with closing(boto3.session.Session().client("s3", config=Config(signature_version="s3v4"))) as client:
            url: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=_EXPIRES_SECONDS)
    except BotoCoreError as error:
        raise UpstreamError(f"The URL of {key.rpartition('/')[2][:100]} in S3 cannot be signed: {error}.") from error
    return url
