"""Which file ffmpeg is: the packaged one, and those that a process has found to work. Asking for a version takes 25 ms of each job."""

from importlib.util import find_spec
from pathlib import Path

from transcoder.errors import TranscodeError

_State = tuple[int, int, int, int]
"""What changes if a file is replaced: its device, inode, length and time of change."""

_working: dict[str, tuple[str, _State]] = {}
"""The files that have worked, as they were, by the path that was asked for, which may be empty."""


def known_ffmpeg(path: str) -> str | None:
    """Return the path of the file that was found to work for `path`; None if there is none, or it has changed since."""
    found, state = _working.get(path, ("", None))
    return found if state is not None and _state(found) == state else None


def keep_ffmpeg(path: str, found: str) -> None:
    """Remember that the file `found` works for `path`."""
    if state := _state(found):
        _working[path] = found, state


def packaged_ffmpeg() -> str:
    """Return the path of the ffmpeg in the package imageio-ffmpeg.

    Raises:
        TranscodeError: there is none.
    """
    # The package's own look-up also runs the binary to check it, which takes 20 ms of every start; importlib.resources takes 15 ms.
    package = find_spec("imageio_ffmpeg")
    folders = (package.submodule_search_locations if package else None) or ()
    names = [str(path) for folder in folders for path in Path(folder, "binaries").glob("ffmpeg-*")]
    if not names:
        raise TranscodeError("The package imageio-ffmpeg has no ffmpeg for this platform: set TRANSCODER_FFMPEG to the path of one.")
    return max(names)


def _state(path: str) -> _State | None:
    """Return the state of a file; None for a name that is looked for in PATH or in the current folder, which may change."""
    try:
        status = Path(path).stat() if Path(path).is_absolute() else None
    except OSError:
        return None
    return status and (status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)
