"""What a command line says of a source, in the words of `transcoder.api`."""

import argparse
from typing import cast

from transcoder.api import Choices
from transcoder.cli.arguments import parameter_values
from transcoder.cli.origin_options import origin_choices
from transcoder.edge.address_guard import Network


def choices_of(arguments: argparse.Namespace, network: Network | None) -> Choices:
    """Return what the command line says of a source on `network`; None: this machine's.

    Raises:
        BadRequestError: a header is invalid.

    """
    values = parameter_values(arguments)
    values.pop("deliver", None)  # it is about a function
    # The parameters are texts, as `/download` has them; `Choices` says what they may be in Python.
    return cast("Choices", {**values, **origin_choices(arguments), "network": network})
