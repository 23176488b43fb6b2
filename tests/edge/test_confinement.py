"""What bounds ffmpeg: a stall, its memory and processor time, the length of its messages, and the end of the program that started it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from peers.running_emulator import exits

from transcoder.edge import ffmpeg
from transcoder.edge.confinement import ADDRESS_SPACE_BYTES, FILE_BYTES
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import TranscodeError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bounds are set on Linux only")

STALL_SECONDS = 0.5
COPY = ("-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:{}", "-f", "s16le", "-c", "copy", "pipe:1")
SPIN = ("-f", "lavfi", "-i", "testsrc2=size=1920x1080", "-f", "null", "-")
MANY = 4 * 1024 * 1024


def youngest_child() -> int:
    return int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1])


def limits(pid: int) -> dict[str, str]:
    """Return the soft limits of a process."""
    text = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    return {name.strip(): soft for name, soft in re.findall(r"^(Max [a-z ]+?) {2,}(\w+)", text, re.MULTILINE)}


@asynccontextmanager
async def running(
    options: Sequence[str], *, inputs: int = 1, stall_seconds: float = STALL_SECONDS, seconds: float | None = None
) -> AsyncIterator[tuple[ffmpeg.Process, int]]:
    """Run ffmpeg with its own path and these options, and yield it with its process id."""
    path = await ffmpeg.find_ffmpeg("")
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds

    def command(fds: Sequence[int]) -> list[str]:
        return [path, "-nostdin", "-v", "error", *(option.format(*fds) for option in options)]

    async with ffmpeg.start(ffmpeg.Program(path, stall_seconds, deadline), command, inputs=inputs) as process:
        yield process, youngest_child()


async def read_all(process: ffmpeg.Process) -> int:
    count = 0
    while piece := await process.read():
        count += len(piece)
    await process.wait()
    return count


def test_an_ffmpeg_that_stands_still_is_killed() -> None:
    async def run() -> None:
        async with running(COPY) as (process, pid), TaskGroup() as tasks:
            os.kill(pid, signal.SIGSTOP)
            tasks.create_task(process.inputs[0].write(bytes(MANY)))
            began = time.monotonic()
            with pytest.raises(TranscodeError, match=r"ffmpeg has neither read nor written for 0\.5 s, and was stopped\."):
                await read_all(process)
            assert STALL_SECONDS * 0.8 < time.monotonic() - began < 10.0
            assert exits(pid)

    asyncio.run(run())


def test_an_ffmpeg_that_stands_still_at_its_end_is_killed() -> None:
    async def run() -> None:
        async with running(COPY) as (process, pid):
            await process.inputs[0].write(bytes(100))
            os.kill(pid, signal.SIGSTOP)
            process.inputs[0].close()
            with pytest.raises(TranscodeError, match="neither read nor written"):
                await read_all(process)

    asyncio.run(run())


def test_an_ffmpeg_that_waits_for_input_is_not_killed() -> None:
    async def run() -> None:
        async with running(COPY) as (process, _), TaskGroup() as tasks:
            reading = tasks.create_task(read_all(process))
            for _ in range(3):
                await process.inputs[0].write(bytes(1000))
                await asyncio.sleep(2 * STALL_SECONDS)
            process.inputs[0].close()
            assert await reading == 3000

    asyncio.run(run())


def test_an_ffmpeg_that_waits_for_one_of_its_inputs_is_not_killed() -> None:
    async def run() -> None:
        # The second input is full all the time, and read only once ffmpeg knows the first.
        options = (*COPY[:6], "-i", "pipe:{0}", *COPY[:6], "-i", "pipe:{1}", "-map", "0", "-map", "1", "-c", "copy", "-f", "nut", "pipe:1")
        async with running(options, inputs=2) as (process, _), TaskGroup() as tasks:
            first, second = process.inputs

            async def feed_second() -> None:
                await second.write(bytes(MANY))
                second.close()

            tasks.create_task(feed_second())
            reading = tasks.create_task(read_all(process))
            await asyncio.sleep(3 * STALL_SECONDS)
            assert second.is_full
            await first.write(bytes(MANY))
            first.close()
            assert await reading > 2 * MANY

    asyncio.run(run())


def test_an_ffmpeg_whose_output_nobody_reads_is_not_killed() -> None:
    async def run() -> None:
        async with running(COPY) as (process, _), TaskGroup() as tasks:

            async def feed() -> None:
                await process.inputs[0].write(bytes(MANY))
                process.inputs[0].close()

            tasks.create_task(feed())
            received = len(await process.read())
            while not process.inputs[0].is_full:  # noqa: ASYNC110 - nothing says when ffmpeg can neither write nor read any more
                await asyncio.sleep(STALL_SECONDS / 10)
            await asyncio.sleep(4 * STALL_SECONDS)
            assert process.inputs[0].is_full
            assert received + await read_all(process) == MANY

    asyncio.run(run())


def limits_until(seconds: float | None) -> dict[str, str]:
    async def run() -> dict[str, str]:
        async with running(COPY, seconds=seconds) as (_, pid):
            return limits(pid)

    return asyncio.run(run())


def test_ffmpeg_has_limits() -> None:
    found = limits_until(100.0)
    assert found["Max core file size"] == "0"
    assert found["Max file size"] == str(FILE_BYTES)
    assert int(found["Max address space"]) > ADDRESS_SPACE_BYTES
    assert 50 * (os.cpu_count() or 1) < int(found["Max cpu time"]) <= 100 * (os.cpu_count() or 1)


def test_ffmpeg_may_take_its_time_without_a_deadline() -> None:
    assert limits_until(None)["Max cpu time"] == "unlimited"


def test_an_ffmpeg_that_works_on_after_the_deadline_is_ended() -> None:
    async def run() -> None:
        async with running(SPIN, inputs=0, stall_seconds=60.0, seconds=0.1) as (process, _):
            with pytest.raises(TranscodeError, match="exited with status"):
                await read_all(process)

    asyncio.run(run())


def message_bytes(pid: int) -> int:
    return Path(f"/proc/{pid}/fd/2").stat().st_size


def test_endless_messages_neither_fill_the_disk_nor_end_ffmpeg() -> None:
    async def run() -> int:
        options = ("-v", "info", "-f", "lavfi", "-i", "sine=duration=600", "-af", "ashowinfo", "-c", "pcm_s16le", "-f", "s16le", "pipe:1")
        longest = 0
        async with running(options, inputs=0, stall_seconds=60.0) as (process, pid):
            while await process.read():
                with suppress(FileNotFoundError):  # it has ended, and its last output is still in the pipe
                    longest = max(longest, message_bytes(pid))
            await process.wait()
        return longest

    assert asyncio.run(run()) == FILE_BYTES


def test_ffmpeg_stays_in_the_process_group_that_is_killed_as_a_whole() -> None:
    async def run() -> int:
        async with running(COPY) as (_, pid):
            return os.getpgid(pid)

    assert asyncio.run(run()) == os.getpgrp()


PARENT = """
import asyncio, os, signal, sys
from pathlib import Path
from transcoder.edge import ffmpeg

async def run():
    path = await ffmpeg.find_ffmpeg("")
    command = lambda fds: [path, "-nostdin", "-f", "s16le", "-i", f"pipe:{fds[0]}", "-f", "s16le", "pipe:1"]
    async with ffmpeg.start(ffmpeg.Program(path, 60.0), command, inputs=1):
        child = int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1])
        os.kill(child, signal.SIGSTOP)
        print(child, flush=True)
        await asyncio.sleep(60)

asyncio.run(run())
"""


def test_even_a_stopped_ffmpeg_ends_with_the_program_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not Path(f"/proc/{child}/stat").read_text(encoding="ascii").startswith(f"{child} (ffmpeg) Z")
        parent.kill()
    assert exits(child)


def test_a_program_that_never_prints_a_version_is_not_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    with pytest.raises(TranscodeError, match=r"has not printed its version within 0\.3 s"):
        asyncio.run(ffmpeg.find_ffmpeg(str(program), seconds=0.3))
