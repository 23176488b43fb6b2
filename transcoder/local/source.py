"""What the user of this machine names as a source: an address, a text with one in it, or a path."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.parameters import make_job
from transcoder.core.request.pasted_text import find_address
from transcoder.core.request.user_origins import split_credentials
from transcoder.edge.fetch.local_files import path_of
from transcoder.errors import BadRequestError, ContradictionError, NotFoundError

_WEB_ADDRESS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?/\S*", re.IGNORECASE)
"""An address without its scheme."""


def consistent_job(url: str, values: Mapping[str, str]) -> Job:
    """Return the job for an address and its other parameters, as unparsed text by name; a parameter without effect is refused.

    Raises:
        BadRequestError: a parameter is invalid, contradicts another, or would have no effect.

    """
    job = make_job(url, values)
    if job.exact and not job.is_clip:
        raise ContradictionError("--exact: it is about where a clip begins; give --start or --end, too.", "exact")
    return job


def source_url(source: str, *, local: bool = True) -> str:
    """Return the address of a source, without user name and password; a path or a `file:` address only if `local`.

    Raises:
        BadRequestError: it is neither an address nor a file.

    """
    if local and source.startswith("file:"):
        return _checked_file_address(source)
    address = web_address(source)
    if not local or "://" in address:
        return checked_url(split_credentials(checked_url(address, credentials=True))[0])
    if not os.path.isfile(source):  # noqa: PTH113 - the one of a Path raises an error for a name that is too long
        raise BadRequestError(f"url: {source!r} is neither an address nor a file.")
    return Path(source).resolve().as_uri()


def _checked_file_address(address: str) -> str:
    try:
        path_of(address)
    except NotFoundError as error:
        raise BadRequestError(f"url: {error}") from error
    return address


def web_address(source: str) -> str:
    """Return the address in a text; one without a scheme gets `https://`, unless a file or a folder of that name is there."""
    address = find_address(source)
    is_local = os.path.exists(source.partition("/")[0])  # noqa: PTH110 - as below
    return f"https://{address}" if _WEB_ADDRESS.fullmatch(address) and not is_local else address
