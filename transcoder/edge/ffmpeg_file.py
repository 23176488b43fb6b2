"""Which file ffmpeg is."""

from importlib.util import find_spec
from pathlib import Path

from transcoder.errors import TranscodeError

FileState = tuple[str, int, int, int, int]
"""A file, and what changes if it is replaced: its path, device, inode, length and time of change."""

WORKING = set[FileState]()
"""The files that this process has found to be a working ffmpeg: asking for a version takes 25 ms of each job."""


def file_state(path: str) -> FileState | None:
    """Return the state of a file; None for a name that is looked for in PATH or in the current folder, which may change."""
    try:
        status = Path(path).stat() if Path(path).is_absolute() else None
    except OSError:
        return None
    return status and (path, status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)


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
