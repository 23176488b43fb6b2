"""One runtime process, and where it stands in the Runtime API's order of calls."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Self

from transcoder.emulator.invocation import Invocation, Outcome

LAST_WORDS_SECONDS = 0.2
"""How long the answer of a process that has ended may take to be noticed."""


class State(Enum):
    """What a runtime process has done last."""

    STARTING = auto()
    READY = auto()
    """It waits for an invocation."""
    RUNNING = auto()
    """It has one."""
    RESPONDING = auto()
    """It has begun to answer."""
    RESPONDED = auto()
    """It has answered; the invocation is over when it asks for the next."""
    BROKEN = auto()
    """It broke off an answer, or failed to initialize: all it may do is exit."""
    DEAD = auto()


class RuntimeProcess:
    """A runtime process; leader of a process group, so that what it started dies with it."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        """Take over a process that was started as the leader of its group; use `start`."""
        self._child = child
        self._moved = asyncio.Condition()
        self.state = State.STARTING
        self.call: Invocation | None = None
        self._gone = False
        self.init_error: Outcome | None = None
        """What it said when its initialization failed."""

    @classmethod
    async def start(cls, command: Sequence[str], environ: Mapping[str, str]) -> Self:
        """Start `command`.

        Raises:
            OSError: it cannot be started.
        """
        return cls(await asyncio.create_subprocess_exec(*command, env=environ, stdin=asyncio.subprocess.DEVNULL, process_group=0))

    @property
    def pid(self) -> int:
        """The process's id, and its group's."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """As `subprocess` has it: negative for a signal, None while it runs."""
        return self._child.returncode

    async def move(self, state: State) -> None:
        """Note that it is in `state` now; nothing comes after death."""
        async with self._moved:
            if self.state is not State.DEAD:
                self.state = state
                self.call = None if state is State.READY else self.call
            self._moved.notify_all()

    async def reaches(self, *states: State) -> State:
        """Wait until it is in one of `states`, or dead, and say in which."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.state in {*states, State.DEAD})
            return self.state

    async def perform(self, call: Invocation) -> bool:
        """Give it `call`; over when it asks for the next one, or is dead: until then an invocation is not complete.

        False means that it was dead by then and has not got it.
        """
        async with self._moved:
            if self.state is State.DEAD:
                return False
            self.call = call
            self.state = State.RUNNING
            self._moved.notify_all()
            await self._moved.wait_for(lambda: self.call is not call or self.state is State.DEAD)
            return not self._gone

    async def give_back(self, call: Invocation) -> None:
        """Note that it has gone without taking `call`, so that another may have it."""
        async with self._moved:
            if self.state is State.RUNNING and self.call is call:
                self._gone = True
                self.call = None
                self.state = State.BROKEN
            self._moved.notify_all()

    async def watch(self) -> None:
        """Wait for its end, and end what it leaves behind; what it had sent before still arrives."""
        await self._child.wait()
        self.kill()
        if self.state is State.RUNNING:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self.reaches(State.RESPONDING, State.RESPONDED, State.BROKEN)
        if self.state is State.RESPONDING and self.call is not None:
            await asyncio.wait([self.call.outcome])  # its connection ends, and with it the answer
        await self.move(State.DEAD)

    async def end(self) -> None:
        """Kill it, and forget what was still on its way."""
        self.kill()
        await self._child.wait()
        await self.move(State.DEAD)

    def kill(self) -> None:
        """Kill the whole group, as Lambda does; killing twice is fine."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
