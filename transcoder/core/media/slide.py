"""A picture that is shown for seconds, as in a slide show: no picture after it says for how long."""

from typing import NamedTuple

MIN_SLIDE_SECONDS = 1.0
"""Pictures that are shown for longer are slides."""


class Slide(NamedTuple):
    """A last picture that may be shown for any time: the only one in the bytes that were read, or one of some that are far apart."""

    start: float
    """When it is shown, in seconds, unwrapped near the start of the stream."""
    apart: float | None
    """How far apart the pictures before it usually are; None if there are none."""
    is_even: bool = False
    """All of them are that far apart, and there are several."""
