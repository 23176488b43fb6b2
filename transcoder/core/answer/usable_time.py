"""How much of the time of an invocation may be used."""


def usable_seconds(remaining: float, *, margin: float) -> float:
    """Return for how many of the `remaining` seconds work may go on, so that `margin` is left to end it; at least for half of them."""
    return max(remaining - margin, remaining / 2)
