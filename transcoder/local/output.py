"""Where an output goes: a file that appears only when it is whole, a pipe or a device, or standard output."""

import stat
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from transcoder.errors import BadRequestError, OutputError
from transcoder.local.output_file import FileOutput
from transcoder.local.output_stream import DeviceOutput, FifoOutput, StandardOutput


class Output(Protocol):
    """Takes the bytes of the output. Those of a file become visible only with `commit`; a reader of the others has them at once."""

    @property
    def folder(self) -> Path | None:
        """The folder of a file; None of what takes bytes at once."""

    def __enter__(self) -> Self:
        """Open the output."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the output; without a `commit` before, nothing is left of a file."""

    async def write(self, chunk: bytes) -> None:
        """Write bytes."""

    def commit(self) -> None:
        """Keep what was written: the output is whole."""


def output_to(path: str, *, overwrite: bool) -> Output:
    """Return the output that `path` names; `-` is standard output. A pipe or a device is written into, and never replaced by a file.

    Raises:
        BadRequestError: it is empty.
        OutputError: it is something that cannot be written to.

    """
    if not path:
        raise BadRequestError("-o '': the name of the file is empty.")
    if path == "-":
        return StandardOutput()
    if path.endswith("/"):
        raise OutputError(f"{path} is a folder, so nothing is written to it; name a file in it.")
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return FileOutput(Path(path), overwrite=overwrite)  # which says what is wrong, if anything is
    if stat.S_ISFIFO(mode):
        return FifoOutput(path)
    if stat.S_ISCHR(mode):
        return DeviceOutput(path)
    if stat.S_ISREG(mode):
        return FileOutput(Path(path), overwrite=overwrite)
    kind = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a pipe"
    raise OutputError(f"{path} is {kind}, so nothing is written to it.")
