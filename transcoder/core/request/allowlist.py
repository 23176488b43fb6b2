"""On which hosts a source may lie."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from transcoder.errors import ForbiddenSourceError

ANY = "*"


def s3_object(url: str, allowed: Sequence[str]) -> tuple[str, str] | None:
    """Return bucket and key of an `s3://` address; None if it is no such address.

    Raises:
        ForbiddenSourceError: the bucket is not one of `allowed`.

    """
    if not url.startswith("s3://"):
        return None
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if bucket not in allowed:
        raise ForbiddenSourceError(f"Objects of the bucket {bucket} are not served here.")
    return bucket, key


def check_host(url: str, allowed: Sequence[str]) -> None:
    """Let `url` pass if its host is one of `allowed` or a subdomain of one; none at all, or `*` among them, lets every host pass.

    Raises:
        ForbiddenSourceError: it is not.

    """
    if not allowed or ANY in allowed:
        return
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    domains = [domain.lower().strip(".") for domain in allowed]
    if not any(host == domain or host.endswith(f".{domain}") for domain in domains):
        raise ForbiddenSourceError(f"Only videos on {', '.join(domains)} are served here, not {host[:200] or 'this address'}.")
