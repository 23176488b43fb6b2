"""The command line."""

import sys

try:
    from transcoder.cli.main import main
except KeyboardInterrupt:
    # The imports take a good part of a second on a cold disk: Ctrl-C during them must end the program as quietly as it does later.
    sys.exit(130)

__all__ = ["main"]
