"""`transcoder sign`: links that hold for a while, where links must be signed."""

import argparse
import asyncio
import re
import time
from collections.abc import Mapping

from transcoder.app.signed_links import SignedLinks
from transcoder.cli.arguments import add_parameters, values_of
from transcoder.cli.commands import Commands
from transcoder.cli.exit_codes import Exit
from transcoder.core.request.job import checked_url
from transcoder.core.request.parameters import make_job
from transcoder.core.request.signing import query_of, signed
from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def add_to(commands: Commands) -> None:
    """Add the command `sign` with its options."""
    parser = commands.add_parser("sign", help="make a link that a function with signing keys serves", allow_abbrev=False)
    parser.add_argument("url", metavar="URL", help="what the link is for: a Reddit link or a playlist")
    parser.add_argument(
        "--service", metavar="URL", default="", help="where the function answers; without it the link begins with /download"
    )
    parser.add_argument("--expires", metavar="TIME", default="1d", help="for how long it holds: 90s, 15m, 12h, 7d (default: %(default)s)")
    add_parameters(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace, settings: Settings) -> int:
    """Print the link.

    Raises:
        BadRequestError: there is no key, or what is to be signed makes no sense.

    """
    values = {"url": checked_url(parsed.url)} | values_of(parsed)
    make_job(parsed.url, values_of(parsed))
    link = signed_if_keys(values, settings, seconds=_seconds(parsed.expires))
    if "sig" not in link:
        raise BadRequestError(f"There is no key to sign with: set {PREFIX}SIGNING_KEYS or {PREFIX}SIGNING_SECRET_ARN.")
    print(f"{parsed.service.rstrip('/')}/download?{query_of(link)}")
    return Exit.WHOLE


def signed_if_keys(values: Mapping[str, str], settings: Settings, *, seconds: int) -> Mapping[str, str]:
    """Sign the parameters of a link for that long; where `settings` have no keys, return them as they are.

    Raises:
        BadRequestError: a key is too short, or a parameter cannot be signed.
        SecretError: the keys cannot be read.

    """
    keys = asyncio.run(SignedLinks(settings).keys())
    return signed(values, key=keys[0], expires=int(time.time()) + seconds) if keys else values


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if not match or not int(match[1]):
        raise BadRequestError(f"--expires {text!r} is no time such as 90s, 15m, 12h or 7d.")
    return int(match[1]) * _UNITS[match[2]]
