"""One runtime process, and its state in the Runtime API's sequence of calls."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Self

from transcoder.emulator.invocation import Invocation, Outcome

SHUTDOWN_SECONDS = 2.0
"""How long a process that is shut down may take before it is killed: as Lambda allows where there are external extensions."""
EXIT_GRACE_SECONDS = 0.2
"""How long after a process has exited its response may still begin to arrive."""


class State(Enum):
    """What a runtime process did last."""

    STARTING = auto()
    RESTORED = auto()
    """It goes on from its snapshot."""
    READY = auto()
    """It waits for an invocation."""
    RUNNING = auto()
    """It has an invocation."""
    RESPONDING = auto()
    """It has begun to send its response."""
    RESPONDED = auto()
    """It has sent its response; the invocation ends when it asks for the next one."""
    BROKEN = auto()
    """It cut a response off, or failed to initialize or to go on from its snapshot: it may do nothing but exit."""
    DEAD = auto()


class RuntimeProcess:
    """A runtime process. It leads a process group, so that everything it starts is killed with it."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        """Take over a process that was started as the leader of its group; use `start`."""
        self._child = child
        self._state_changed = asyncio.Condition()
        self.state = State.STARTING
        self.invocation: Invocation | None = None
        self._undelivered = False
        self.start_error: Outcome | None = None
        """The runtime's report of a failed initialization or restore."""

    @classmethod
    async def start(cls, command: Sequence[str], environ: Mapping[str, str]) -> Self:
        """Start `command`.

        Raises:
            OSError: it cannot be started.
        """
        return cls(await asyncio.create_subprocess_exec(*command, env=environ, stdin=asyncio.subprocess.DEVNULL, process_group=0))

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code as `subprocess` gives it: negative for a signal, None while the process runs."""
        return self._child.returncode

    async def set_state(self, state: State) -> None:
        """Change to `state`; a dead process stays dead."""
        async with self._state_changed:
            if self.state is not State.DEAD:
                self.state = state
                self.invocation = None if state is State.READY else self.invocation
            self._state_changed.notify_all()

    async def wait_for(self, *states: State) -> State:
        """Wait until the process is in one of `states`, or dead, and return its state."""
        async with self._state_changed:
            await self._state_changed.wait_for(lambda: self.state in {*states, State.DEAD})
            return self.state

    async def run(self, invocation: Invocation) -> bool:
        """Give the process `invocation`, and wait until it asks for the next one or is dead; only then is an invocation complete.

        Return False if the process was already dead and never received the invocation.
        """
        async with self._state_changed:
            if self.state is State.DEAD:
                return False
            self.invocation = invocation
            self.state = State.RUNNING
            self._state_changed.notify_all()
            await self._state_changed.wait_for(lambda: self.invocation is not invocation or self.state is State.DEAD)
            return not self._undelivered

    async def return_undelivered(self, invocation: Invocation) -> None:
        """Record that the process died before it read `invocation`, so that another process may run it."""
        async with self._state_changed:
            if self.state is State.RUNNING and self.invocation is invocation:
                self._undelivered = True
                self.invocation = None
                self.state = State.BROKEN
            self._state_changed.notify_all()

    async def watch(self) -> None:
        """Wait until the process exits, and kill what is left of its group; what it sent before it exited still arrives."""
        await self._child.wait()
        self.kill()
        await asyncio.to_thread(_reap_orphans, self._child.pid)
        if self.state is State.RUNNING:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXIT_GRACE_SECONDS):
                    await self.wait_for(State.RESPONDING, State.RESPONDED, State.BROKEN)
        if self.state is State.RESPONDING and self.invocation is not None:
            await asyncio.wait([self.invocation.outcome])  # the process's connection ends, and with it the response
        await self.set_state(State.DEAD)

    async def shut_down(self) -> None:
        """Ask the process to exit, as Lambda does when it ends an environment, and kill it when it takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self.wait_for(State.DEAD)
        self.kill()

    async def stop(self) -> None:
        """Kill the process, and wait until it has exited; a response on its way is dropped."""
        self.kill()
        await self._child.wait()
        await self.set_state(State.DEAD)

    def kill(self) -> None:
        """Kill the whole process group, as Lambda does; a second call has no effect."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)


def _reap_orphans(group: int) -> None:
    """Wait for what is left of a killed process group, where that has become ours: process 1 of a container inherits orphans."""
    with contextlib.suppress(ChildProcessError):  # they are another's
        while True:
            os.waitpid(-group, 0)
