"""ffmpeg as a child process with any number of input pipes and one output pipe."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, cast

from transcoder.edge.pipe import PipeWriter
from transcoder.errors import TranscodeError

MIN_VERSION = 7
_READ_BYTES = 256 * 1024
_STDERR_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Process:
    """A running ffmpeg."""

    inputs: tuple[PipeWriter, ...]
    """A broken input pipe is not an error of its own: the exit status says why ffmpeg stopped reading."""
    _output: asyncio.StreamReader
    _process: asyncio.subprocess.Process
    _stderr: IO[bytes]

    async def read(self) -> bytes:
        """Return the next bytes of its output; b"" at the end."""
        return await self._output.read(_READ_BYTES)

    async def wait(self) -> None:
        """Wait until ffmpeg exits.

        Raises:
            TranscodeError: the exit status was not 0.

        """
        status = await self._process.wait()
        if status != 0:
            raise TranscodeError(f"ffmpeg exited with status {status}: {_last_line(self._stderr)}")


@asynccontextmanager
async def start(command: Callable[[Sequence[int]], list[str]], *, inputs: int) -> AsyncIterator[Process]:
    """Run ffmpeg for the length of a block; after the block ffmpeg is gone, whatever happened inside.

    Args:
        command: given the file descriptors that ffmpeg reads, returns its command line.
        inputs: how many input pipes ffmpeg gets.

    """
    # asyncio's own pipes are not used: its wait() returns only after such a pipe was read to the end, so kill-and-wait could hang.
    with ExitStack() as parent_ends, _open_message_file() as stderr:
        with ExitStack() as child_ends:
            pipes = [_pipe(reader=child_ends, writer=parent_ends) for _ in range(inputs)]
            output, child_output = _pipe(reader=parent_ends, writer=child_ends)
            input_fds = [reader.fileno() for reader, _ in pipes]
            process = await asyncio.create_subprocess_exec(
                *command(input_fds),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=child_output.fileno(),
                stderr=stderr.fileno(),
                pass_fds=input_fds,
                env={},
            )
        try:
            writers = tuple([await _connect_writer(writer, parent_ends) for _, writer in pipes])
            yield Process(writers, await _connect_reader(output, parent_ends), process, stderr)
        finally:
            if process.returncode is None:
                _kill(process.pid)
                await process.wait()


def _kill(pid: int) -> None:
    # Process.kill() waits for a child that has just ended; asyncio's own wait() then knows none, and complains on stderr.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _open_message_file() -> IO[bytes]:
    """Open a file for ffmpeg's messages. They only explain a failure: if the disk is full, ffmpeg runs without them."""
    try:
        return cast(IO[bytes], tempfile.TemporaryFile())
    except OSError:
        return Path(os.devnull).open("r+b", 0)


def _pipe(*, reader: ExitStack, writer: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """Make a pipe; the two stacks close its read end and its write end."""
    read, write = os.pipe()
    return reader.enter_context(os.fdopen(read, "rb", 0)), writer.enter_context(os.fdopen(write, "wb", 0))


async def _connect_writer(pipe: IO[bytes], parent_ends: ExitStack) -> PipeWriter:
    writer = await PipeWriter.connect(pipe)
    parent_ends.callback(writer.abort)
    return writer


async def _connect_reader(pipe: IO[bytes], parent_ends: ExitStack) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_READ_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    parent_ends.enter_context(closing(transport))
    return reader


def _last_line(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _STDERR_BYTES))
    lines = stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no error message."


async def find_ffmpeg(path: str) -> str:
    """Return the path of the ffmpeg to use: `path`, or the one in the package imageio-ffmpeg if that is empty.

    Raises:
        TranscodeError: there is none, it does not run, or it is older than 7 (which is 20 times slower with two pipes).

    """
    found = path or _packaged_ffmpeg()
    try:
        process = await asyncio.create_subprocess_exec(
            found, "-version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        banner, _ = await process.communicate()
    except OSError as error:
        raise TranscodeError(f"{found} cannot be run as ffmpeg: {error.strerror}.") from error
    # Builds from a repository say "N-12345-g…" instead of a number; they are newer than any release that is too old.
    version = re.match(rb"ffmpeg version (?:n?(\d+)[.\-]|N-)", banner)
    if process.returncode != 0 or version is None:
        raise TranscodeError(f"{found} is not a working ffmpeg.")
    if version[1] is not None and int(version[1]) < MIN_VERSION:
        raise TranscodeError(f"{found} is ffmpeg {version[1].decode()}; version {MIN_VERSION} or newer is needed.")
    return found


def _packaged_ffmpeg() -> str:
    # The package's own look-up also runs the binary to check it; that takes 20 ms of every start.
    folder = resources.files("imageio_ffmpeg") / "binaries"
    names = [str(entry) for entry in folder.iterdir() if Path(entry.name).name.startswith("ffmpeg-")] if folder.is_dir() else []
    if not names:
        raise TranscodeError("The package imageio-ffmpeg has no ffmpeg for this platform: set TRANSCODER_FFMPEG to the path of one.")
    return max(names)
