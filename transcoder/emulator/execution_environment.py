"""One execution environment: a Runtime API, and the process that it keeps supplied with invocations."""

import asyncio
import logging
import socket

from transcoder.emulator.http_connection import HttpConnection, accept
from transcoder.emulator.invocation import Invocation, Outcome
from transcoder.emulator.options import Options
from transcoder.emulator.runtime_api import RuntimeApiServer
from transcoder.emulator.runtime_process import RuntimeProcess, State
from transcoder.errors import single_error

_log = logging.getLogger(__name__)


class ExecutionEnvironment:
    """Takes calls from a queue, one at a time; starts its process when there is none."""

    def __init__(self, options: Options, listener: socket.socket, calls: asyncio.Queue[Invocation]) -> None:
        """Serve the Runtime API on `listener`."""
        self._options = options
        self._listener = listener
        self._calls = calls
        self._process: RuntimeProcess | None = None
        self._tasks = asyncio.TaskGroup()

    @property
    def pid(self) -> int | None:
        """The id of the process, and of its group, while there is one."""
        return self._process.pid if self._process is not None and self._process.state is not State.DEAD else None

    async def run(self) -> None:
        """Serve calls until cancelled; then no process is left."""
        with single_error():
            async with self._tasks:
                self._tasks.create_task(accept(self._listener, self._serve))
                await self._work()

    async def _work(self) -> None:
        try:
            while True:
                await self._perform(await self._calls.get())
        finally:
            await self._kill()

    async def _serve(self, connection: HttpConnection) -> None:
        if self._process is not None:
            await RuntimeApiServer(self._options, self._process).serve(connection)

    async def _perform(self, call: Invocation) -> None:
        """Have `call` answered; over when the process asks for the next one, or is dead."""
        try:
            process = await self._given(call)
            if process is not None and process.state is State.DEAD and not call.outcome.done():
                self._say(call, "Runtime.ExitError", f"the runtime exited with {process.exit_code} during an invocation")
        except TimeoutError:
            self._say(call, "Sandbox.Timedout", f"the task timed out after {self._options.timeout_seconds:.2f} seconds")
            await self._kill()
        finally:
            call.settle(Outcome("Runtime.ExitError"))

    async def _given(self, call: Invocation) -> RuntimeProcess | None:
        """Have a process perform `call`, and say which did; another if the first was dead before it could take it."""
        while (process := await self._ready(call)) is not None:
            async with asyncio.timeout(self._options.timeout_seconds):
                if await process.perform(call):
                    return process
            await process.end()
        return None

    async def _ready(self, call: Invocation) -> RuntimeProcess | None:
        """Have a process that waits for an invocation, if one can be had."""
        process = self._process
        if process is None or process.state is State.DEAD:
            process = await self._start(call)
        if process is None:
            return None
        try:
            async with asyncio.timeout(self._options.init_seconds):
                if await process.reaches(State.READY, State.BROKEN) is State.READY:
                    return process
                await process.reaches()
        except TimeoutError:
            self._say(call, "Sandbox.Timedout", "the runtime did not ask for an invocation in time")
            await self._kill()
            return None
        if process.init_error is not None:
            call.settle(process.init_error)  # in the runtime's own words, as on Lambda
        self._say(call, "Runtime.ExitError", f"the runtime exited with {process.exit_code} before its first invocation")
        return None

    async def _start(self, call: Invocation) -> RuntimeProcess | None:
        host, port = self._listener.getsockname()
        try:
            process = await RuntimeProcess.start(self._options.command, self._options.child_environ(f"{host}:{port}"))
        except OSError as error:
            self._say(call, "Runtime.InvalidEntrypoint", f"the runtime cannot be started: {error}")
            return None
        self._process = process
        self._tasks.create_task(process.watch())
        return process

    def _say(self, call: Invocation, error_type: str, sentence: str) -> None:
        _log.error("%s %s: %s", call.request_id, error_type, sentence)
        call.settle(Outcome(error_type, sentence.encode()))

    async def _kill(self) -> None:
        if self._process is not None and self._process.state is not State.DEAD:
            await self._process.end()
