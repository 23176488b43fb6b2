"""What one process must not share with another that goes on from the same snapshot of its memory.

Source: AWS Lambda developer guide, "Handling uniqueness with Lambda SnapStart". What the kernel gives (`os.urandom`, `secrets`, `uuid4`)
is new in each copy, what a library keeps in its own memory is not.
"""

import os
import random
import ssl

from transcoder.edge.address_guard import tls

_SEED_BYTES = 32


def renew() -> None:
    """Give this process random numbers and a TLS context of its own; call it first thing after a restore, with no connection open."""
    random.seed()
    ssl.RAND_add(os.urandom(_SEED_BYTES), _SEED_BYTES)
    tls.cache_clear()
