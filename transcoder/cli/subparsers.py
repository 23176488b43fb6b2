"""The type that a command is added to."""

import argparse
from typing import Protocol


class Subparsers(Protocol):
    """The object that `ArgumentParser.add_subparsers` returns; argparse has no public type for it."""

    def add_parser(self, name: str, **options: object) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
