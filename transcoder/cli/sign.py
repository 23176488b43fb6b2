"""`transcoder sign`: make signed links, which are valid for a limited time."""

import argparse
import asyncio
import re
import time
from collections.abc import Mapping

from transcoder.app.signing_keys import SigningKeys
from transcoder.cli.arguments import add_parameter_options, parameter_values, service_address
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.printing import write_line
from transcoder.cli.subparsers import Subparsers
from transcoder.core.request.job import checked_url, checked_web_address
from transcoder.core.request.parameters import make_job
from transcoder.core.request.signing import encode_query, sign
from transcoder.errors import BadRequestError
from transcoder.local.source import web_address
from transcoder.settings import PREFIX, Settings

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def add_command(subparsers: Subparsers) -> None:
    """Add the command `sign` with its options."""
    parser = subparsers.add_parser(
        "sign",
        description="Make a signed link, for a function that has signing keys. "
        f"The key is taken from {PREFIX}SIGNING_KEYS or {PREFIX}SIGNING_SECRET_ARN.",
    )
    parser.add_argument("url", metavar="URL", help="the source that the link is for: a Reddit link or a playlist")
    parser.add_argument("--service", metavar="URL", default="", help="address of the function; without it the link begins with /download")
    parser.add_argument(
        "--expires", metavar="TIME", default="1d", help="how long the link is valid: 90s, 15m, 12h, 7d (default: %(default)s)"
    )
    add_parameter_options(parser)
    parser.set_defaults(run=run, check=check)


def check(arguments: argparse.Namespace) -> None:
    """Find what is wrong with the options by themselves. Raises BadRequestError."""
    make_job("", parameter_values(arguments))
    _parse_seconds(arguments.expires)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the link.

    Raises:
        BadRequestError: there is no key, or the source or a parameter is invalid.

    """
    job = make_job(checked_url(web_address(arguments.url)), parameter_values(arguments))
    service = checked_web_address("--service", service_address(arguments.service)).rstrip("/") if arguments.service else ""
    values = {"url": job.url} | parameter_values(arguments)
    link = signed_if_keys(values, settings, seconds=_parse_seconds(arguments.expires))
    if "sig" not in link:
        raise BadRequestError(f"There is no key to sign with; set {PREFIX}SIGNING_KEYS or {PREFIX}SIGNING_SECRET_ARN.")
    write_line(f"{service}/download?{encode_query(link)}")
    return ExitCode.SUCCESS


def signed_if_keys(values: Mapping[str, str], settings: Settings, *, seconds: int) -> Mapping[str, str]:
    """Return the parameters of a link with a signature that is valid for `seconds`; without keys in `settings`, return them unchanged.

    Raises:
        BadRequestError: a key is too short, or a parameter cannot be signed.
        SecretError: the keys cannot be read.

    """
    keys = asyncio.run(SigningKeys(settings).all())
    return sign(values, key=keys[0], expires=int(time.time()) + seconds) if keys else values


def _parse_seconds(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if not match or not int(match[1]):
        raise BadRequestError(f"--expires {text!r} is not a time such as 90s, 15m, 12h or 7d.")
    return int(match[1]) * _UNITS[match[2]]
