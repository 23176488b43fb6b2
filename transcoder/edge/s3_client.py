"""The client of S3. Importing boto3 takes a third of a second, so it is imported only when a client is asked for."""

from typing import Any


def s3_client(**config: Any) -> Any:
    """Return a client with the function's own credentials; `config` are parameters of botocore's `Config`.

    Its presigned URLs lead to the endpoint of its region. Otherwise boto3 makes them for the global one, which redirects what is asked of a
    bucket that is new, or in a region that was opened after 2019 (S3 user guide, "Virtual hosting of buckets"), to a host for which the
    signature does not count.

    Raises:
        BotoCoreError: there is no region.
    """
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.session.Session()
    client = session.client("s3", config=Config(signature_version="s3v4", **config))
    if client.meta.endpoint_url != f"https://s3.{client.meta.region_name}.amazonaws.com":
        return client  # other stores have no global endpoint, and need not know buckets as parts of host names
    client.close()
    return session.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, **config))
