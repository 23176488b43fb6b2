"""Turn an HLS playlist or a Reddit link into one MP4, streamed while it is made.

`save`, `stream` and `info`, their twins without `await`, and their types are those of `transcoder.api`; the failures are in
`transcoder.errors`. They are imported when they are used: Lambda and `transcoder --version` do without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcoder.api import (
        ByteSink,
        Choices,
        InfoReport,
        OnProgress,
        ProgressReport,
        Saved,
        Settings,
        Written,
        info,
        info_sync,
        save,
        save_sync,
        stream,
        stream_sync,
    )
    from transcoder.errors import TranscoderError

__version__ = "0.1.0"

__all__ = [
    "ByteSink",
    "Choices",
    "InfoReport",
    "OnProgress",
    "ProgressReport",
    "Saved",
    "Settings",
    "TranscoderError",
    "Written",
    "__version__",
    "info",
    "info_sync",
    "save",
    "save_sync",
    "stream",
    "stream_sync",
]


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("transcoder.errors" if name == "TranscoderError" else "transcoder.api"), name)


def __dir__() -> list[str]:
    """List what the package offers, whether it is imported yet or not."""
    return sorted({*globals(), *__all__})
