"""How the function's runtime starts: the time to its first request for an invocation, and the modules that it imports until then."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from bench.contestants import OWN_PYTHON
from bench.process_tree import cpu_seconds

SECONDS = 30.0
_NAME_MODULES = "import sys; from transcoder.bootstrap import main; code = main(); print(*sys.modules); sys.exit(code)"


def milliseconds_to_next(environ: Mapping[str, str], *, runs: int) -> float:
    """Return the median time from the start of a runtime to its first request for an invocation."""
    return median(_milliseconds(environ) for _ in range(runs))


def _milliseconds(environ: Mapping[str, str]) -> float:
    with _runtime_api() as (listener, address):
        began = time.monotonic()
        with _started(environ, address) as process, _next_request(listener):
            took = time.monotonic() - began
            process.kill()
    return took * 1000


def cpu_seconds_to_next(environ: Mapping[str, str]) -> float:
    """Return the processor time that one runtime takes to its first request for an invocation."""
    with _runtime_api() as (listener, address), _started(environ, address) as process, _next_request(listener):
        took = cpu_seconds(process.pid)
        process.kill()
    return took


def imported_modules(environ: Mapping[str, str]) -> list[str]:
    """Start a runtime, let it ask for an invocation, end it, and return the modules that it has imported by then."""
    with _runtime_api() as (listener, address), _started(environ, address, "-c", _NAME_MODULES) as process, _next_request(listener):
        process.send_signal(signal.SIGTERM)
        return process.communicate(timeout=SECONDS)[0].decode().split()


def packages(modules: Iterable[str]) -> list[str]:
    """Return the packages among the modules that belong neither to Python nor to this project."""
    tops = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"transcoder", "sitecustomize"}
    return sorted(name for name in tops if not name.startswith("_"))


@contextmanager
def _runtime_api() -> Iterator[tuple[socket.socket, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        host, port = listener.getsockname()
        yield listener, f"{host}:{port}"


def _started(environ: Mapping[str, str], address: str, *program: str) -> subprocess.Popen[bytes]:
    command = [OWN_PYTHON, "-P", *(program or ("-m", "transcoder.bootstrap"))]
    return subprocess.Popen(command, env={**environ, "AWS_LAMBDA_RUNTIME_API": address}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextmanager
def _next_request(listener: socket.socket) -> Iterator[None]:
    """Wait for the request for an invocation; it stays open in the block."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(SECONDS)
        if b"/runtime/invocation/next" not in connection.recv(65536):
            raise RuntimeError("the runtime did not ask for an invocation")
        yield
