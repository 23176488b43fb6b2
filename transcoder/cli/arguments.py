"""Options that several commands share: the parameters of a request."""

import argparse
import re

from transcoder.core.request.parameters import PARAMETERS

_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]+){3}|\[::1\])(:[0-9]+)?(/\S*)?", re.IGNORECASE)
"""An address on this machine without its scheme."""
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+:[0-9]+)(:[0-9]+)?(/\S*)?", re.IGNORECASE)
"""One on another machine: a name with a dot or a port; any other word may be a mistake."""


def add_source_argument(parser: argparse.ArgumentParser) -> None:
    """Add the source, `url`, an address or a path."""
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


def service_address(text: str) -> str:
    """Return the address of a function; one without a scheme gets `https://`, or `http://` if it is on this machine, as `serve` is."""
    if _LOOPBACK.fullmatch(text):
        return f"http://{text}"
    return f"https://{text}" if _HOST.fullmatch(text) else text
