"""Memory usage of this process, as the operating system reports it."""

import resource
import sys


def peak_rss_mib() -> float:
    """Return the peak resident memory of this process plus that of its largest finished child, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, and KiB elsewhere
    total = sum(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(total * unit / (1024 * 1024), 1)
