"""Options that several commands share: the parameters of a request."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.parameters import PARAMETERS, make_job
from transcoder.core.request.pasted_text import find_address
from transcoder.core.request.user_origins import split_credentials
from transcoder.errors import BadRequestError

_WEB_ADDRESS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?/\S*", re.IGNORECASE)
"""An address without its scheme."""


def add_source_argument(parser: argparse.ArgumentParser) -> None:
    """Add the source, `url`, which `source_url` reads."""
    parser.add_argument("url", metavar="URL", help="a Reddit link, or a playlist: an http(s) address, a file: address or a path")


def add_parameter_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each parameter of a request."""
    for parameter in PARAMETERS:
        option = f"--{parameter.name.replace('_', '-')}"
        if parameter.metavar is None:
            parser.add_argument(option, action="store_const", const="1", help=parameter.help)
        else:
            parser.add_argument(option, metavar=parameter.metavar, help=parameter.help)


def parameter_values(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the parameters given on the command line by name, as unparsed text."""
    values: dict[str, str | None] = {parameter.name: getattr(arguments, parameter.name) for parameter in PARAMETERS}
    return {name: text for name, text in values.items() if text is not None}


def parse_job(arguments: argparse.Namespace) -> Job:
    """Return the job that the source and the parameters on the command line describe; its URL has no user name and password.

    Raises:
        BadRequestError: the source is neither an address nor a file, or a parameter is invalid.

    """
    return consistent_job(source_url(arguments.url), parameter_values(arguments))


def consistent_job(url: str, values: Mapping[str, str]) -> Job:
    """Return the job for an address and its other parameters; a parameter without effect is refused.

    Raises:
        BadRequestError: a parameter is invalid, contradicts another, or would have no effect.

    """
    job = make_job(url, values)
    if job.exact and not job.is_clip:
        raise BadRequestError("--exact: it is about where a clip begins; give --start or --end, too.")
    return job


def source_url(source: str) -> str:
    """Return the address of the source that a command line names: an address, a text with one in it, or a path.

    Raises:
        BadRequestError: it is neither an address nor a file.

    """
    if source.startswith("file:"):
        return source
    address = web_address(source)
    if "://" in address:
        return checked_url(split_credentials(address)[0])
    path = Path(source)
    if not path.is_file():
        raise BadRequestError(f"{source!r} is neither an address nor a file.")
    return path.resolve().as_uri()


def web_address(source: str) -> str:
    """Return the address in a text; one without a scheme gets `https://`, unless a file or a folder of that name is there."""
    address = find_address(source)
    is_local = Path(source.partition("/")[0]).exists()
    return f"https://{address}" if _WEB_ADDRESS.fullmatch(address) and not is_local else address
