"""The command line."""

import sys

try:
    from transcoder.cli.main import main
except KeyboardInterrupt:
    # Loading takes a good part of a second on a cold disk: Ctrl-C ends the program then as it does later, without a word.
    sys.exit(130)

__all__ = ["main"]
