"""Allowlists: the hosts and S3 buckets that a source may come from."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from transcoder.core.request.host_names import is_within
from transcoder.errors import ForbiddenSourceError

ANY_HOST = "*"


def parse_s3_url(url: str, allowed_buckets: Sequence[str]) -> tuple[str, str] | None:
    """Return bucket and key of an `s3://` address; None for any other address.

    Raises:
        ForbiddenSourceError: the bucket is not one of `allowed_buckets`.

    """
    if not url.startswith("s3://"):
        return None
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if bucket not in allowed_buckets:
        raise ForbiddenSourceError(f"This service does not serve objects of the bucket {bucket}.")
    return bucket, key


def check_host(url: str, allowed: Sequence[str]) -> None:
    """Accept `url` if its host is one of `allowed` or a subdomain of one; if the list is empty or contains `*`, accept any host.

    Raises:
        ForbiddenSourceError: the host is not allowed.

    """
    if not allowed or ANY_HOST in allowed:
        return
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    domains = [domain.lower().strip(".") for domain in allowed]
    if not is_within(host, domains):
        raise ForbiddenSourceError(f"Only videos on {', '.join(domains)} are available here, not on {host[:200] or 'this address'}.")
