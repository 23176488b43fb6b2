"""ffmpeg as a child process with any number of input pipes and one output pipe."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO

from transcoder.edge.pipe import PipeWriter
from transcoder.errors import TranscodeError

OLDEST = 7
_READ_BYTES = 256 * 1024
_STDERR_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Process:
    """A running ffmpeg."""

    inputs: tuple[PipeWriter, ...]
    """A pipe that breaks is an echo: the exit status says why ffmpeg stopped reading."""
    _output: asyncio.StreamReader
    _process: asyncio.subprocess.Process
    _stderr: IO[bytes]

    async def read(self) -> bytes:
        """Return the next bytes of its output, empty at the end."""
        return await self._output.read(_READ_BYTES)

    async def finished(self) -> None:
        """Wait for the end.

        Raises:
            TranscodeError: the exit status was not 0.

        """
        code = await self._process.wait()
        if code != 0:
            raise TranscodeError(f"ffmpeg ended with status {code}: {_last_words(self._stderr)}")


@asynccontextmanager
async def running(command: Callable[[Sequence[int]], list[str]], *, inputs: int) -> AsyncIterator[Process]:
    """Start ffmpeg for the length of a block; at its end ffmpeg is gone, whatever happened inside.

    Args:
        command: given the descriptors that ffmpeg will read, returns its command line.
        inputs: how many input pipes it gets.

    """
    # asyncio's own pipes are not used: its wait() returns only once such a pipe was read to the end, so kill-and-wait could hang.
    with ExitStack() as ours, tempfile.TemporaryFile() as stderr:
        with ExitStack() as childs:
            pairs = [_pipe(reader=childs, writer=ours) for _ in range(inputs)]
            output, childs_output = _pipe(reader=ours, writer=childs)
            sources = [reader.fileno() for reader, _ in pairs]
            process = await asyncio.create_subprocess_exec(
                *command(sources),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=childs_output.fileno(),
                stderr=stderr.fileno(),
                pass_fds=sources,
                env={},
            )
        try:
            pipes = tuple([await _input(writer, ours) for _, writer in pairs])
            yield Process(pipes, await _reader(output, ours), process, stderr)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _pipe(*, reader: ExitStack, writer: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """Make a pipe whose two ends belong to whoever closes them."""
    read, write = os.pipe()
    return reader.enter_context(os.fdopen(read, "rb", 0)), writer.enter_context(os.fdopen(write, "wb", 0))


async def _input(pipe: IO[bytes], ours: ExitStack) -> PipeWriter:
    writer = await PipeWriter.on(pipe)
    ours.callback(writer.abort)
    return writer


async def _reader(pipe: IO[bytes], ours: ExitStack) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_READ_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    ours.enter_context(closing(transport))
    return reader


def _last_words(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _STDERR_BYTES))
    lines = stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."


async def program(path: str) -> str:
    """Return the path of the ffmpeg to use: `path`, or the one in the package imageio-ffmpeg if that is empty.

    Raises:
        TranscodeError: there is none, it does not run, or it is older than 7 (which is 20 times slower with two pipes).

    """
    found = path or _packaged()
    try:
        process = await asyncio.create_subprocess_exec(
            found, "-version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        banner, _ = await process.communicate()
    except OSError as error:
        raise TranscodeError(f"{found} cannot be run as ffmpeg: {error.strerror}.") from error
    # Builds from a repository say "N-12345-g…" instead of a number; those are newer than any release that is too old.
    version = re.match(rb"ffmpeg version (?:n?(\d+)[.\-]|N-)", banner)
    if process.returncode != 0 or version is None:
        raise TranscodeError(f"{found} is not an ffmpeg that works here.")
    if version[1] is not None and int(version[1]) < OLDEST:
        raise TranscodeError(f"{found} is ffmpeg {version[1].decode()}; version {OLDEST} or newer is needed.")
    return found


def _packaged() -> str:
    # The package's own look-up runs the binary once more to see whether it works; that costs 20 ms of every start.
    folder = resources.files("imageio_ffmpeg") / "binaries"
    names = [str(entry) for entry in folder.iterdir() if Path(entry.name).name.startswith("ffmpeg-")] if folder.is_dir() else []
    if not names:
        raise TranscodeError("The package imageio-ffmpeg brings no ffmpeg for this platform: name one by TRANSCODER_FFMPEG.")
    return max(names)
