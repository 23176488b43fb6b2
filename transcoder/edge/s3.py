"""Objects in private S3 buckets: their addresses, which requests sign, so that an object is fetched like any other file."""

import asyncio
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from transcoder.edge.s3_client import aws_sdk, s3_client
from transcoder.errors import UpstreamError

_EXPIRES_SECONDS = 3600
"""How long a signature is valid; each request has its own."""
_SAMPLE_KEY = "x"


class BucketUrls:
    """The addresses of the objects of one bucket, without and with a signature of the function's own credentials."""

    def __init__(self, base: str, presign: Callable[[str], str]) -> None:
        """Use `open` instead."""
        self._base = base
        self._presign = presign

    @classmethod
    async def open(cls, bucket: str) -> "BucketUrls":
        """Return the addresses of a bucket; whether it exists is not checked.

        Raises:
            UpstreamError: there are no credentials to sign with.
            BadRequestError: boto3 is not installed.
        """
        return await asyncio.to_thread(cls._open, bucket)

    @classmethod
    def _open(cls, bucket: str) -> "BucketUrls":
        # Importing it takes a third of a second, so it is imported only when an S3 object is requested.
        with aws_sdk(f"s3://{bucket}"):
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        def presign(key: str) -> str:
            try:
                parameters = {"Bucket": bucket, "Key": key}
                url: str = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_EXPIRES_SECONDS)
            except BotoCoreError as error:
                raise UpstreamError(f"The URL of {key.rpartition('/')[2][:100]} in S3 cannot be signed: {error}.") from error
            return url

        try:
            client = s3_client()
        except BotoCoreError as error:
            raise UpstreamError(f"The URLs of objects in S3 cannot be signed: {error}.") from error
        return cls(presign(_SAMPLE_KEY).partition("?")[0].removesuffix(_SAMPLE_KEY), presign)

    def url(self, key: str) -> str:
        """Return the address of an object, without a signature."""
        return self._presign(key).partition("?")[0]

    def signed(self, url: str) -> str:
        """Return `url` with a signature if it is the address of an object in the bucket; any other as it is, also one with a query."""
        parts = urlsplit(url)
        if not url.startswith(self._base) or parts.query:
            return url
        key = unquote(url.partition("#")[0].removeprefix(self._base))
        return self._presign(key) if key else url
