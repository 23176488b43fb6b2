"""What the system says of this process."""

import resource
import sys


def peak_rss_mib() -> float:
    """Say how much memory this process held at its peak, and the largest of its children that ended at theirs, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts in bytes there, in KiB elsewhere
    total = sum(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(total * unit / (1024 * 1024), 1)
