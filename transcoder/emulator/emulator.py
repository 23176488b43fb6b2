"""The emulator as a whole."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass

from transcoder.emulator.execution_environment import ExecutionEnvironment
from transcoder.emulator.http_connection import accept, listen
from transcoder.emulator.invocation_queue import InvocationQueue
from transcoder.emulator.options import Options
from transcoder.emulator.server import Server
from transcoder.errors import single_error


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator that accepts requests."""

    url: str
    """The Function URL, without a slash at its end; the SDK's `endpoint_url` as well."""
    environments: tuple[ExecutionEnvironment, ...]

    @property
    def pid(self) -> int | None:
        """The id of the runtime process of the first environment, and of its group; None while there is none."""
        return self.environments[0].pid


@asynccontextmanager
async def emulator(options: Options) -> AsyncIterator[Running]:
    """Emulate Lambda for as long as the block runs; after it no process and no connection is left.

    A runtime process is started by the first request that needs it, as on Lambda.

    Raises:
        OSError: the port is taken.
    """
    with single_error(), ExitStack() as stack:
        front = stack.enter_context(closing(listen(options.host, options.port)))
        calls = InvocationQueue(at_once=options.concurrency + options.max_waiting)
        listeners = [stack.enter_context(closing(listen("127.0.0.1", 0))) for _ in range(options.concurrency)]
        environments = tuple(ExecutionEnvironment(options, listener, calls.queue) for listener in listeners)
        host, port = front.getsockname()
        async with _meanwhile(accept(front, Server(options, calls).serve), *(environment.run() for environment in environments)):
            yield Running(f"http://{host}:{port}", environments)


@asynccontextmanager
async def _meanwhile(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do `work` while the block runs, and no longer."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
