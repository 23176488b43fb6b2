"""How many inputs hypothesis draws."""

from hypothesis import settings

_USUAL = 100


def examples(usually: int) -> int:
    """Return how many inputs a test draws that `usually` draws so many: fewer where all draw fewer, as in `make test-fast`.

    A number that is written into the settings of a test would take precedence over the profile.
    """
    return max(1, usually * settings().max_examples // _USUAL)
