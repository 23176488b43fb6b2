"""Adds commands to the command line."""

import argparse
from typing import Protocol

from transcoder.cli.exit_codes import help_text


class Subparsers(Protocol):
    """The object that `ArgumentParser.add_subparsers` returns; argparse has no public type for it."""

    def add_parser(self, name: str, **options: object) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""


def add_described_parser(subparsers: Subparsers, name: str, *, summary: str, description: str) -> argparse.ArgumentParser:
    """Add a command whose `--help` has a description in lines of its own, and the list of exit codes."""
    return subparsers.add_parser(
        name,
        help=summary,
        description=description,
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
