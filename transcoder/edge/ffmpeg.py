"""ffmpeg as a child process with any number of input pipes and one output pipe."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, cast

from transcoder.edge.confinement import confine, kill_with_us
from transcoder.edge.ffmpeg_file import WORKING, file_state, packaged_ffmpeg
from transcoder.edge.pipe import PipeReader, PipeWriter, open_pipe
from transcoder.edge.stall_watch import StallWatch
from transcoder.errors import TranscodeError, UnsupportedSourceError, UpstreamError

MIN_VERSION = 7
_STDERR_BYTES = 2000
_NO_HEADER = "Could not write header"
"""What ffmpeg says if it knows too little about a track; its exit status is the same for many reasons."""
_UNDECODABLE = 69
"""Its exit status if it could not decode two thirds of the frames (ffmpeg's documentation, `-max_error_rate`)."""
VERSION_SECONDS = 60.0
"""How long it may take to print its version; the first time, it is read from the disk meanwhile."""


class Program(NamedTuple):
    """An ffmpeg that can be run, and for how long."""

    path: str
    stall_seconds: float
    """It is killed after it has neither read nor written for so long, although it has input and its output is awaited."""
    deadline: float | None = None
    """When its output is of no use any more, by the event loop's clock."""


class Process:
    """A running ffmpeg."""

    def __init__(
        self,
        program: Program,
        inputs: tuple[PipeWriter, ...],
        output: PipeReader,
        process: asyncio.subprocess.Process,
        stderr: IO[bytes],
    ) -> None:
        """Use `start` instead."""
        self.inputs = inputs
        """A broken input pipe is not an error of its own: the exit status says why ffmpeg stopped reading."""
        self._stall_seconds = program.stall_seconds
        self._output = output
        self._process = process
        self._stderr = stderr
        self._received = 0
        self._is_awaited = False
        self._has_stalled = False

    async def read(self) -> bytes:
        """Return the next bytes of its output; b"" at the end."""
        with self._awaited():
            piece = await self._output.read()
        self._received += len(piece)
        return piece

    async def wait(self) -> None:
        """Wait until ffmpeg exits.

        Raises:
            UnsupportedSourceError: the media lack what an MP4 must say of a track, such as the sampling rate of audio without a frame.
            UpstreamError: most of the media cannot be decoded.
            TranscodeError: the exit status was not 0 for another reason, or it was killed because it stood still.

        """
        with self._awaited():
            status = await self._process.wait()
        if self._has_stalled:
            raise TranscodeError(f"ffmpeg has neither read nor written for {self._stall_seconds:g} s, and was stopped.")
        if status != 0:
            message = _last_line(self._stderr)
            if _NO_HEADER in message:
                raise UnsupportedSourceError("The media cannot be put into an MP4: a track has nothing that says how to decode it.")
            if status == _UNDECODABLE:
                raise UpstreamError("The video or audio of the source is damaged: most of it cannot be decoded.")
            raise TranscodeError(f"ffmpeg exited with status {status}: {message}")

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        self._is_awaited = True
        try:
            yield
        finally:
            self._is_awaited = False

    def stall_watch(self) -> StallWatch:
        """Return a watch that kills it if it stands still, but not while it waits for input, or for its output to be read."""
        return StallWatch(
            self._stall_seconds,
            is_awaited=lambda: self._is_awaited and all(pipe.is_full or pipe.broken for pipe in self.inputs),
            progress=lambda: (self._received, *(pipe.taken for pipe in self.inputs)),
            on_stall=self._stop,
        )

    def _stop(self) -> None:
        self._has_stalled = True
        _kill(self._process)


@asynccontextmanager
async def start(program: Program, command: Callable[[Sequence[int]], list[str]], *, inputs: int) -> AsyncIterator[Process]:
    """Run ffmpeg for the length of a block; after the block ffmpeg is gone, whatever happened inside.

    Args:
        program: what is run.
        command: given the file descriptors that ffmpeg reads, returns its command line, which must contain `-nostdin`.
        inputs: how many input pipes ffmpeg gets.

    Raises:
        TranscodeError: it cannot be run, perhaps because this machine allows no more processes or open files.
    """
    with ExitStack() as parent_ends, _open_message_file() as stderr:
        with _naming("ffmpeg cannot be run"), ExitStack() as child_ends:
            pipes = [open_pipe(reader=child_ends, writer=parent_ends, wide=True) for _ in range(inputs)]
            output, child_output = open_pipe(reader=parent_ends, writer=child_ends, wide=True)
            stdin, _ = open_pipe(reader=parent_ends, writer=parent_ends)
            input_fds = [reader.fileno() for reader, _ in pipes]
            process = await _spawn(command(input_fds), stdin, child_output, stderr, input_fds)
        try:
            _confine(process, program, stdin)
            writers = tuple([await _connect_writer(writer, parent_ends) for _, writer in pipes])
            running = Process(program, writers, _connect_reader(output, parent_ends), process, stderr)
            with running.stall_watch().running():
                yield running
        finally:
            await _end(process)


async def _spawn(
    command: Sequence[str], stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes], input_fds: Sequence[int]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=input_fds,
        env={},
        restore_signals=False,  # Python ignores SIGXFSZ, which would end ffmpeg for a long list of messages
    )


@contextmanager
def _naming(failure: str) -> Iterator[None]:
    """Say what has failed if the system refuses a file, a pipe or a process."""
    try:
        yield
    except OSError as error:
        raise TranscodeError(f"{failure}: {error.strerror}.") from error


def _confine(process: asyncio.subprocess.Process, program: Program, stdin: IO[bytes]) -> None:
    """Set limits before ffmpeg has got a byte of the source."""
    seconds = None if program.deadline is None else program.deadline - asyncio.get_running_loop().time()
    with _naming("The limits of ffmpeg cannot be set"):
        kill_with_us(process.pid, stdin.fileno())
        confine(process.pid, cpu_seconds=None if seconds is None else seconds * (os.cpu_count() or 1))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill ffmpeg if it still runs, and wait until it is gone."""
    if process.returncode is None:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    # asyncio's kill() waits for a child that has just ended, and its own wait() then knows none, and complains on stderr.
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


def _open_message_file() -> IO[bytes]:
    """Open a file for ffmpeg's messages. They only explain a failure: if the disk is full, ffmpeg runs without them."""
    try:
        return cast(IO[bytes], tempfile.TemporaryFile())
    except OSError:
        return Path(os.devnull).open("r+b", 0)


async def _connect_writer(pipe: IO[bytes], parent_ends: ExitStack) -> PipeWriter:
    writer = await PipeWriter.connect(pipe)
    parent_ends.callback(writer.abort)
    return writer


def _connect_reader(pipe: IO[bytes], parent_ends: ExitStack) -> PipeReader:
    return parent_ends.enter_context(closing(PipeReader(pipe)))


def _last_line(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _STDERR_BYTES))
    lines = stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no error message."


async def find_ffmpeg(path: str, *, seconds: float = VERSION_SECONDS) -> str:
    """Return the path of the ffmpeg to use: `path`, or the one in the package imageio-ffmpeg if that is empty.

    A file that works is asked for its version again only if it has changed.

    Raises:
        TranscodeError: there is none, it does not run or not end in so many seconds, or it is older than 7 (which is 20 times slower
            with two pipes).

    """
    found = path or packaged_ffmpeg()
    state = file_state(found)
    if state in WORKING:
        return found
    status, banner = await _run_for_version(found, seconds=seconds)
    # Builds from a repository say "N-12345-g…" instead of a number; they are newer than any release that is too old.
    version = re.match(rb"ffmpeg version (?:n?(\d+)[.\-]|N-)", banner)
    if status != 0 or version is None:
        raise TranscodeError(f"{found} is not a working ffmpeg.")
    if version[1] is not None and int(version[1]) < MIN_VERSION:
        raise TranscodeError(f"{found} is ffmpeg {version[1].decode()}; version {MIN_VERSION} or newer is needed.")
    if state is not None:
        WORKING.add(state)
    return found


async def _run_for_version(path: str, *, seconds: float) -> tuple[int, bytes]:
    """Return the exit status of a program that is asked for its version, and its output."""
    with ExitStack() as parent_ends:
        with _naming(f"{path} cannot be run as ffmpeg"), ExitStack() as child_ends:
            output, child_output = open_pipe(reader=parent_ends, writer=child_ends)
            process = await asyncio.create_subprocess_exec(
                path, "-version", stdin=asyncio.subprocess.DEVNULL, stdout=child_output, stderr=asyncio.subprocess.DEVNULL
            )
        try:
            async with asyncio.timeout(seconds):
                banner = await _connect_reader(output, parent_ends).read_all()
                return await process.wait(), banner
        except TimeoutError as error:
            raise TranscodeError(f"{path} has not printed its version within {seconds:g} s.") from error
        finally:
            await _end(process)
