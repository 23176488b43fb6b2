"""How many boxes there may be: each takes more time and memory than the eight bytes of an empty one are worth."""

MAX_CHILDREN = 10_000
"""More boxes inside one box are refused."""
_BYTES_PER_BOX = 64


def are_too_many(boxes: int, position: int) -> bool:
    """Return whether so many boxes at the top level of a file, up to `position`, are too small on average to hold media."""
    return boxes > MAX_CHILDREN + position // _BYTES_PER_BOX
