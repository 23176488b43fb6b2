"""What a process renews after it was restored from a snapshot."""

import random

from transcoder.edge.address_guard import tls
from transcoder.edge.process_state import renew


def test_random_numbers_are_others() -> None:
    random.seed(1)
    without = random.random()  # noqa: S311  # not a secret
    random.seed(1)
    renew()
    assert random.random() != without  # noqa: S311  # not a secret


def test_the_tls_context_is_another() -> None:
    before = tls()
    assert tls() is before
    renew()
    assert tls() is not before
