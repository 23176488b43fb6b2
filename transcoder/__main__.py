"""Run the command line with `python -m transcoder`."""

import sys

from transcoder.cli import main

sys.exit(main())
