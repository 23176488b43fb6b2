"""One execution environment: a Runtime API, and the runtime process that it serves."""

import asyncio
import logging
import socket

from transcoder.edge.task_group import TaskGroup, in_background
from transcoder.emulator.http_connection import HttpConnection, serve_connections
from transcoder.emulator.invocation import Invocation, Outcome
from transcoder.emulator.options import Options
from transcoder.emulator.runtime_api import RuntimeApiServer
from transcoder.emulator.runtime_process import RuntimeProcess, State
from transcoder.errors import single_error

_log = logging.getLogger(__name__)


class ExecutionEnvironment:
    """Runs queued invocations one at a time, and starts the runtime process when it is missing."""

    def __init__(self, options: Options, listener: socket.socket, pending: asyncio.Queue[Invocation]) -> None:
        """Serve the Runtime API on `listener`, and take invocations from `pending`."""
        self._options = options
        self._listener = listener
        self._pending = pending
        self._process: RuntimeProcess | None = None
        self._tasks = TaskGroup()

    @property
    def pid(self) -> int | None:
        """The id of the runtime process and of its group; None while there is no process."""
        return self._process.pid if self._process is not None and self._process.state is not State.DEAD else None

    async def run(self) -> None:
        """Run invocations until cancelled, then stop the process."""
        with single_error():
            async with self._tasks:
                self._tasks.create_task(serve_connections(self._listener, self._serve))
                await self._run_invocations()

    async def _run_invocations(self) -> None:
        try:
            while True:
                await self._run_invocation(await self._pending.get())
        finally:
            await self._stop_process()

    async def _serve(self, connection: HttpConnection) -> None:
        if self._process is not None:
            await RuntimeApiServer(self._options, self._process).serve(connection)

    async def _run_invocation(self, invocation: Invocation) -> None:
        """Run `invocation`; return when the process asks for the next one, or is dead."""
        if invocation.abandoned.is_set():
            return
        try:
            process = await self._deliver(invocation)
            if process is not None and process.state is State.DEAD and not invocation.outcome.done():
                self._fail(invocation, "Runtime.ExitError", f"the runtime exited with {process.exit_code} during an invocation")
        except TimeoutError:
            self._fail(invocation, "Sandbox.Timedout", f"the task timed out after {self._options.timeout_seconds:.2f} seconds")
            await self._stop_process()
        finally:
            invocation.set_outcome(Outcome("Runtime.ExitError"))

    async def _deliver(self, invocation: Invocation) -> RuntimeProcess | None:
        """Have a process run `invocation`, and return that process; if one dies before it receives the event, try another."""
        while (process := await self._ready_process(invocation)) is not None:
            async with asyncio.timeout(self._options.timeout_seconds), in_background(_shut_down_when_abandoned(process, invocation)):
                if await process.run(invocation):
                    return process
            await process.stop()
        return None

    async def _ready_process(self, invocation: Invocation) -> RuntimeProcess | None:
        """Return a process that waits for an invocation; if there is none, fail `invocation` and return None."""
        process = self._process
        if process is None or process.state is State.DEAD:
            process = await self._start_process(invocation)
        if process is None:
            return None
        try:
            async with asyncio.timeout(self._options.init_seconds):
                if await process.wait_for(State.READY, State.BROKEN) is State.READY:
                    return process
                await process.wait_for(State.DEAD)
        except TimeoutError:
            self._fail(invocation, "Sandbox.Timedout", "the runtime did not ask for an invocation in time")
            await self._stop_process()
            return None
        if process.start_error is not None:
            invocation.set_outcome(process.start_error)  # the runtime's own report, as on Lambda
        self._fail(invocation, "Runtime.ExitError", f"the runtime exited with {process.exit_code} before its first invocation")
        return None

    async def _start_process(self, invocation: Invocation) -> RuntimeProcess | None:
        host, port = self._listener.getsockname()
        try:
            process = await RuntimeProcess.start(self._options.command, self._options.runtime_environ(f"{host}:{port}"))
        except OSError as error:
            self._fail(invocation, "Runtime.InvalidEntrypoint", f"the runtime cannot be started: {error}")
            return None
        self._process = process
        self._tasks.create_task(process.watch())
        return process

    def _fail(self, invocation: Invocation, error_type: str, message: str) -> None:
        _log.error("%s %s: %s", invocation.request_id, error_type, message)
        invocation.set_outcome(Outcome(error_type, message.encode()))

    async def _stop_process(self) -> None:
        if self._process is not None and self._process.state is not State.DEAD:
            await self._process.stop()


async def _shut_down_when_abandoned(process: RuntimeProcess, invocation: Invocation) -> None:
    await invocation.abandoned.wait()
    await process.shut_down()
