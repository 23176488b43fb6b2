"""ffmpeg as a child process: it never outlives its block, and its error message is kept."""

import asyncio
import os
import resource
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from transcoder.edge import ffmpeg
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import TranscodeError


def limited(path: str, *, stall_seconds: float = 30.0, deadline: float | None = None) -> ffmpeg.Program:
    return ffmpeg.Program(path, stall_seconds, deadline)


def children() -> set[str]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(listed.read_text().split()) if listed.exists() else set()


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def ffmpeg_output(options: Sequence[str], samples: bytes = b"") -> bytes:
    program = await ffmpeg.find_ffmpeg("")

    def command(fds: Sequence[int]) -> list[str]:
        return [program, "-v", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", f"pipe:{fds[0]}", *options]

    out = bytearray()
    async with ffmpeg.start(limited(program), command, inputs=1) as process, TaskGroup() as tasks:

        async def feed() -> None:
            await process.inputs[0].write(samples)
            process.inputs[0].close()

        tasks.create_task(feed())
        while chunk := await process.read():
            out += chunk
        await process.wait()
    return bytes(out)


def test_copies_its_input() -> None:
    samples = os.urandom(3_000_000)
    assert asyncio.run(ffmpeg_output(["-f", "s16le", "-c", "copy", "pipe:1"], samples)) == samples


def test_a_failure_has_its_error_message() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(ffmpeg_output(["-f", "nonsense", "pipe:1"]))
    assert isinstance(raised.value.exceptions[0], TranscodeError)
    assert "nonsense" in str(raised.value.exceptions[0]) or "status" in str(raised.value.exceptions[0])


async def read_once(program: str) -> None:
    command = [program, "-f", "lavfi", "-i", "testsrc2", "-f", "rawvideo", "pipe:1"]
    async with ffmpeg.start(limited(program), lambda _: command, inputs=2) as process:
        assert await process.read()
        raise RuntimeError("enough")


def test_leaving_early_leaves_no_process_and_no_descriptor() -> None:
    async def leave() -> None:
        program = await ffmpeg.find_ffmpeg("")
        before = children(), descriptors()
        for _ in range(3):
            with pytest.raises(RuntimeError, match="enough"):
                await read_once(program)
        assert (children(), descriptors()) == before

    asyncio.run(leave())


def test_a_broken_pipe_is_no_error_of_its_own() -> None:
    async def write_until_broken() -> None:
        program = await ffmpeg.find_ffmpeg("")
        command = [program, "-f", "nonsense", "-i", "pipe:0", "out"]
        async with ffmpeg.start(limited(program), lambda _: command, inputs=1) as process:
            while not process.inputs[0].broken:
                await process.inputs[0].write(bytes(65536))
            assert await process.read() == b""
            with pytest.raises(TranscodeError, match="status"):
                await process.wait()

    asyncio.run(write_until_broken())


def test_a_child_that_ends_just_when_its_block_does_is_no_surprise(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio writes to stderr if it was not the one to see a child end, which happened in three of a hundred of these blocks."""

    async def leave() -> None:
        for number in range(300):
            async with ffmpeg.start(limited("/bin/sh"), lambda _: ["/bin/sh", "-c", ":"], inputs=0) as process:
                assert await process.read() == b""
                await asyncio.sleep(number % 3 * 0.0005)

    asyncio.run(leave())
    assert caplog.records == []


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("#!/bin/sh\necho 'ffmpeg version 6.1.1-static Copyright'", "version 7 or newer is needed", id="too old"),
        pytest.param("#!/bin/sh\necho 'ffmpeg version 5.1.9-0+deb12u1 Copyright'", "version 7 or newer is needed", id="Debian's"),
        pytest.param("#!/bin/sh\necho 'hello'", "not a working ffmpeg", id="another program"),
        pytest.param("#!/bin/sh\necho 'ffmpeg version 9.0.2'; kill -11 $$", "not a working ffmpeg", id="crashes"),
    ],
)
def test_refuses_an_unsuitable_ffmpeg(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TranscodeError, match=words):
        asyncio.run(ffmpeg.find_ffmpeg(script(tmp_path / "ffmpeg", text)))


@pytest.mark.parametrize(
    "banner",
    ["ffmpeg version 7.0.2-static https", "ffmpeg version n8.1-12-gabc", "ffmpeg version N-118000-gabc", "ffmpeg version 9.0.2 Copyright"],
)
def test_accepts_a_newer_ffmpeg(tmp_path: Path, banner: str) -> None:
    path = script(tmp_path / "ffmpeg", f"#!/bin/sh\necho '{banner}'")
    assert asyncio.run(ffmpeg.find_ffmpeg(path)) == path


def test_too_few_files_are_said_whatever_they_are_missing_for() -> None:
    """Each pipe, and what starts a process, may be the first that the system refuses."""

    async def attempt() -> None:
        async with ffmpeg.start(limited("/bin/sh"), lambda _: ["/bin/sh", "-c", ":"], inputs=2) as process:
            assert await process.read() == b""

    async def attempts() -> list[tuple[int, str]]:
        await attempt()  # the first process brings what the event loop keeps
        refused = []
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        before = descriptors()
        for more in range(24):
            resource.setrlimit(resource.RLIMIT_NOFILE, (before + more, hard))
            try:
                await attempt()
            except TranscodeError as error:
                refused.append((more, str(error)))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert descriptors() == before
        return refused

    refused = asyncio.run(attempts())
    assert refused == [(more, "ffmpeg cannot be run: Too many open files.") for more in range(len(refused))]
    assert 5 <= len(refused) < 24


def test_missing_ffmpeg_is_named(tmp_path: Path) -> None:
    with pytest.raises(TranscodeError, match=r"none cannot be run as ffmpeg: No such file"):
        asyncio.run(ffmpeg.find_ffmpeg(str(tmp_path / "none")))
