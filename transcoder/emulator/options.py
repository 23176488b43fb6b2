"""What the emulator can be told."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from transcoder import __version__
from transcoder.core.answer.cors import Cors
from transcoder.settings import PREFIX

MIB = 1024 * 1024
REGION = "us-east-1"


class StreamErrors(StrEnum):
    """What an HTTP client sees when a stream fails after its first byte; what AWS shows is not documented."""

    CUT = "cut"
    """The chunked body breaks off without its end."""
    CLEAN = "clean"
    """The body ends as if it were whole."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the emulated function is set up, and how Lambda behaves."""

    host: str = "127.0.0.1"
    port: int = 0
    """Where the Function URL listens; 0 takes any free port."""
    command: tuple[str, ...] = (sys.executable, "-m", "transcoder.bootstrap")
    """The runtime: any program that speaks the Runtime API."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The runtime's environment; what Lambda sets is added."""
    function_name: str = "transcoder"
    memory_mib: int = 1769
    """Told to the runtime, not enforced."""
    timeout_seconds: float = 900.0
    """How long an invocation may take before its process group is killed."""
    init_seconds: float = 30.0
    """How long a process may take from its start to its first request for an invocation."""
    concurrency: int = 1
    """How many execution environments there are; each serves one invocation at a time."""
    max_waiting: int = 100
    """How many requests may wait for an environment; further ones get 429."""
    response_limit: int = 200 * MIB
    """A longer answer is cut, in bytes with its prelude."""
    throttle: bool = False
    """Let answers out as Lambda does: 6 MiB at once, then 2 MiB/s."""
    stream_errors: StreamErrors = StreamErrors.CUT
    cors: Cors | None = field(default_factory=Cors)
    """The Function URL's CORS configuration."""
    stop_on_disconnect: bool = False
    """Break off an answer whose caller has left; Lambda itself runs on to the end."""

    @property
    def arn(self) -> str:
        """The function's name in full."""
        return f"arn:aws:lambda:{REGION}:123456789012:function:{self.function_name}"

    def child_environ(self, runtime_api: str) -> dict[str, str]:
        """Put together the runtime's environment, with what Lambda sets itself; `runtime_api` is `host:port`."""
        return {
            PREFIX + "ALLOWED_HOSTS": "",  # on Lambda only some hosts are served unless it is said; on one's own machine all are
            **self.environ,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mib),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"emulator/{__version__}",
            "LAMBDA_TASK_ROOT": self.environ.get("LAMBDA_TASK_ROOT", str(Path.cwd())),
            "AWS_REGION": self.environ.get("AWS_REGION", REGION),
            "AWS_DEFAULT_REGION": self.environ.get("AWS_DEFAULT_REGION", REGION),
        }
