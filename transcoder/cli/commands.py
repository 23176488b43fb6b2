"""What a command is added to."""

import argparse
from typing import Protocol


class Commands(Protocol):
    """The command line's list of commands: what argparse makes has no public type."""

    def add_parser(self, name: str, **options: object) -> argparse.ArgumentParser:
        """Add a command, and return what reads its words."""
