"""What hypothesis draws, and how many of it."""

from hypothesis import settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=10,
)
"""Values of every type, in a few levels: long ones say no more of what reads them, and take most of the time to draw."""

USUAL = 50
"""How many inputs are drawn for a property in `make test`. `make fuzz` gives parsers many more."""


def examples(usually: int) -> int:
    """Return how many inputs a test draws that `usually` draws so many: fewer where all draw fewer, as in `make test-fast`.

    A number that is written into the settings of a test would take precedence over the profile.
    """
    return max(1, usually * settings().max_examples // USUAL)
