"""The options of the emulator."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from transcoder import __version__
from transcoder.core.answer.cors import Cors
from transcoder.settings import PREFIX

MIB = 1024 * 1024
REGION = "us-east-1"


class StreamErrors(StrEnum):
    """How an HTTP client sees a stream that fails after its first byte; AWS does not document what a Function URL does."""

    CUT = "cut"
    """The connection closes without the last chunk of the body."""
    CLEAN = "clean"
    """The body ends with its last chunk, as if it were whole."""


class Front(StrEnum):
    """What is between the HTTP client and the function."""

    FUNCTION_URL = "function-url"
    API_GATEWAY = "api-gateway"
    """A REST API with response streaming, without a domain name of its own: its paths begin with the stage."""


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration of the emulated function, and how closely Lambda is imitated."""

    host: str = "127.0.0.1"
    """The IPv4 address of the Function URL. Who can reach another one than loopback gets the hosts that Lambda allows by default."""
    port: int = 0
    """The port of the Function URL; 0 takes any free port."""
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "transcoder.bootstrap")
    """The runtime: any program that speaks the Runtime API. A folder named transcoder where it is started is not the package (-P)."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The runtime's environment variables; those that Lambda sets are added."""
    front: Front = Front.FUNCTION_URL
    function_name: str = "transcoder"
    memory_mib: int = 1769
    """Reported to the runtime, not enforced."""
    timeout_seconds: float = 900.0
    """How long an invocation may take before its process group is killed."""
    init_seconds: float = 30.0
    """How long a process may take from its start to its first request for an invocation."""
    header_seconds: float = 20.0
    """How long the request line and headers of a request may take, in all."""
    body_seconds: float = 60.0
    """How long the body of a client's request may take, in all."""
    snap_start: bool = False
    """Start a process as SnapStart does for a published version: it goes on from a snapshot before its first invocation.

    There is one process, and no copy of it."""
    concurrency: int = 1
    """The number of execution environments; each serves one invocation at a time."""
    max_waiting: int = 100
    """How many requests may wait for an environment; further ones get 429."""
    response_limit: int = 200 * MIB
    """The longest response in bytes, including its prelude; a longer one is cut."""
    throttle: bool = False
    """Limit the rate of responses as Lambda does: 6 MiB at once, then 2 MiB/s."""
    stream_errors: StreamErrors = StreamErrors.CUT
    cors: Cors | None = field(default_factory=Cors)
    """The CORS configuration: of a Function URL for all responses, of a REST API for preflight requests alone."""
    stop_on_disconnect: bool = False
    """Stop the runtime when its client disconnects, whether or not it has begun to respond; Lambda itself lets it run to its end."""

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:123456789012:function:{self.function_name}"

    def runtime_environ(self, runtime_api: str) -> dict[str, str]:
        """Return the runtime's environment, including the variables that Lambda sets; `runtime_api` is `host:port`."""
        # The default on Lambda is a few hosts; for callers on one's own machine it is all of them.
        allowed_hosts = {PREFIX + "ALLOWED_HOSTS": ""} if ip_address(self.host).is_loopback else {}
        return {
            **allowed_hosts,
            **self.environ,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1" if self.snap_start else "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mib),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if self.snap_start else "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"emulator/{__version__}",
            "LAMBDA_TASK_ROOT": self.environ.get("LAMBDA_TASK_ROOT", str(Path.cwd())),
            "AWS_REGION": self.environ.get("AWS_REGION", REGION),
            "AWS_DEFAULT_REGION": self.environ.get("AWS_DEFAULT_REGION", REGION),
        }
