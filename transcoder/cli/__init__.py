"""The command line."""

from transcoder.cli.main import main

__all__ = ["main"]
