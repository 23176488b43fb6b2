"""The garbage collector while the program starts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import in the block what stays until the process ends: nothing of it is garbage, so the collector neither runs nor looks at it later.

    A start makes some hundred thousand objects, which it would look at again and again. Source: Python's documentation of `gc.freeze`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
