"""`python -m transcoder` is the command line."""

import sys

from transcoder.cli import main

sys.exit(main())
