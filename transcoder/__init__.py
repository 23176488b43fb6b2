"""Turn an HLS playlist or a Reddit link into one MP4, streamed while it is made.

The names of `transcoder.api` are those of this package, with `errors`, the module of the failures. They are imported when they are used:
Lambda and `transcoder --version` do without.
"""

from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcoder import errors as errors  # which says that it is public
    from transcoder.api import *  # noqa: F403  # `api.__all__` is the only list of the names

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name == "errors":
        return import_module("transcoder.errors")
    if name == "__all__":
        return _names()
    # `from transcoder import canary` asks for an attribute of that name before it imports the module, and must not import more.
    is_public = not name.startswith("__") and not PathFinder.find_spec(f"{__name__}.{name}", globals()["__path__"]) and name in _names()
    if not is_public:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("transcoder.api"), name)


def __dir__() -> list[str]:
    """List what the package offers, whether it is imported yet or not."""
    return sorted({*globals(), *_names()})


def _names() -> list[str]:
    """Return the names that are public."""
    return [*import_module("transcoder.api").__all__, "errors", "__version__"]
