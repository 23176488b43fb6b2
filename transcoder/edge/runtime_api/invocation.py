"""One event to answer, and what the Runtime API says about it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event to answer."""

    request_id: str
    event: bytes
    deadline: float | None = None
    """When Lambda ends it, by the clock of the event loop; for `asyncio.timeout_at`."""
    arn: str = ""
    trace_id: str = ""
    attempt_id: str = ""
    """Lambda's `Invocation-Id`: it goes back with the answer, so that a late answer is told from its successor's."""

    @classmethod
    def from_reply(cls, headers: Mapping[str, str], event: bytes) -> Self:
        """Read the reply to `/invocation/next`; names in lower case.

        Raises:
            ValueError: there is no request id, or the deadline is not a number.
        """
        own = {name.removeprefix("lambda-runtime-"): value for name, value in headers.items()}
        request_id = own.get("aws-request-id", "")
        if not request_id:
            raise ValueError("no request id")
        return cls(
            request_id=request_id,
            event=event,
            deadline=_on_our_clock(int(own["deadline-ms"])) if "deadline-ms" in own else None,
            arn=own.get("invoked-function-arn", ""),
            trace_id=own.get("trace-id", ""),
            attempt_id=own.get("invocation-id", ""),
        )

    @property
    def path(self) -> str:
        """Where what is said about this invocation goes."""
        return f"/invocation/{self.request_id}"

    @property
    def echo(self) -> list[tuple[str, str]]:
        """The header that goes back with everything said about this invocation, if Lambda sent one."""
        return [("Lambda-Runtime-Invocation-Id", self.attempt_id)] if self.attempt_id else []


def _on_our_clock(epoch_ms: int) -> float:
    return asyncio.get_running_loop().time() + epoch_ms / 1000 - time.time()
