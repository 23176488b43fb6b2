"""Start and stop the whole emulator."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass

from transcoder.edge.task_group import in_background
from transcoder.emulator.execution_environment import ExecutionEnvironment
from transcoder.emulator.http_connection import listen, serve_connections
from transcoder.emulator.invocation_queue import InvocationQueue
from transcoder.emulator.options import Front, Options
from transcoder.emulator.rest_api_event import STAGE
from transcoder.emulator.server import Server
from transcoder.errors import single_error


@dataclass(frozen=True, slots=True)
class Running:
    """A running emulator that accepts requests."""

    url: str
    """The address for HTTP clients, without a trailing slash; that of a Function URL is also the SDK's `endpoint_url`."""
    environments: tuple[ExecutionEnvironment, ...]

    @property
    def pid(self) -> int | None:
        """The process id, and process group id, of the first environment's runtime; None while it has no process."""
        return self.environments[0].pid


@asynccontextmanager
async def emulator(options: Options) -> AsyncIterator[Running]:
    """Emulate Lambda for the duration of the block; afterwards no process and no connection is left.

    The first request that needs a runtime process starts it, as on Lambda.

    Raises:
        OSError: the port is taken.
    """
    with single_error(), ExitStack() as stack:
        function_url = stack.enter_context(closing(listen(options.host, options.port)))
        queue = InvocationQueue(capacity=options.concurrency + options.max_waiting, stop_on_disconnect=options.stop_on_disconnect)
        runtime_apis = [stack.enter_context(closing(listen("127.0.0.1", 0))) for _ in range(options.concurrency)]
        environments = tuple(ExecutionEnvironment(options, listener, queue.pending) for listener in runtime_apis)
        host, port = function_url.getsockname()
        host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - where this machine reaches it
        server = serve_connections(function_url, Server(options, queue).serve)
        async with in_background(server, *(environment.run() for environment in environments)):
            stage = f"/{STAGE}" if options.front is Front.API_GATEWAY else ""
            yield Running(f"http://{host}:{port}{stage}", environments)
