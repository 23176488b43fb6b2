"""What the commands have in common: an address, and the parameters that a query has too, and headers."""

import argparse
from pathlib import Path

from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.parameters import PARAMETERS, make_job
from transcoder.errors import BadRequestError


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add an option for each parameter."""
    for parameter in PARAMETERS:
        if parameter.metavar is None:
            parser.add_argument(f"--{parameter.name}", action="store_const", const="1", help=parameter.help)
        else:
            parser.add_argument(f"--{parameter.name}", metavar=parameter.metavar, help=parameter.help)


def add_headers(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what requests carry."""
    parser.add_argument(
        "--header", metavar="'NAME: VALUE'", action="append", default=[], help="send this header to origins (may be given several times)"
    )
    parser.add_argument("--referer", metavar="URL", help="send this Referer to origins")
    parser.add_argument("--user-agent", metavar="TEXT", help="send this User-Agent to origins")


def headers_of(parsed: argparse.Namespace) -> dict[str, str]:
    """Collect the headers that were given.

    Raises:
        BadRequestError: one is not of the form `NAME: VALUE`.

    """
    headers = {}
    for line in parsed.header:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise BadRequestError(f"--header {line!r} is not of the form 'NAME: VALUE'.")
        headers[name.strip()] = value.strip()
    named = {"Referer": parsed.referer, "User-Agent": parsed.user_agent}
    return headers | {name: value for name, value in named.items() if value is not None}


def values_of(parsed: argparse.Namespace) -> dict[str, str]:
    """Collect the parameters that were given, by name, as they were written."""
    given: dict[str, str | None] = {parameter.name: getattr(parsed, parameter.name) for parameter in PARAMETERS}
    return {name: text for name, text in given.items() if text is not None}


def job_of(parsed: argparse.Namespace) -> Job:
    """Read a command line's address and parameters as a job.

    Raises:
        BadRequestError: the address is neither one nor a file, or a parameter makes no sense.

    """
    return make_job(_address(parsed.url), values_of(parsed))


def _address(url: str) -> str:
    local = Path(url)
    if url.startswith("file:"):
        return url
    if "://" in url:
        return checked_url(url)
    if not local.is_file():
        raise BadRequestError(f"{url!r} is neither an address nor a file.")
    return local.resolve().as_uri()
