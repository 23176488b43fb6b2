"""One invocation, as the Runtime API describes it."""

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple, Self


class Invocation(NamedTuple):
    """An event to answer, with its context."""

    request_id: str
    event: bytes
    deadline: float | None = None
    """When Lambda ends the invocation, by the event loop's clock; for `asyncio.timeout_at`."""
    arn: str = ""
    trace_id: str = ""
    invocation_id: str = ""
    """Lambda's `Invocation-Id`: it is sent back, so that Lambda can tell a late response from the response to the next attempt."""

    @classmethod
    def from_reply(cls, headers: Mapping[str, str], event: bytes) -> Self:
        """Parse the reply to `/invocation/next`; header names are in lower case.

        Raises:
            ValueError: there is no request id, or the deadline is not a number.
        """
        context = {name.removeprefix("lambda-runtime-"): value for name, value in headers.items()}
        request_id = context.get("aws-request-id", "")
        if not request_id:
            raise ValueError("no request id")
        return cls(
            request_id=request_id,
            event=event,
            deadline=_event_loop_time(int(context["deadline-ms"])) if "deadline-ms" in context else None,
            arn=context.get("invoked-function-arn", ""),
            trace_id=context.get("trace-id", ""),
            invocation_id=context.get("invocation-id", ""),
        )

    @property
    def path(self) -> str:
        """Path of this invocation in the Runtime API; `/response` or `/error` follows it."""
        return f"/invocation/{self.request_id}"

    @property
    def id_header(self) -> list[tuple[str, str]]:
        """The header that must be sent with every response and error of this invocation; empty if Lambda sent no `Invocation-Id`."""
        return [("Lambda-Runtime-Invocation-Id", self.invocation_id)] if self.invocation_id else []


def _event_loop_time(epoch_ms: int) -> float:
    return asyncio.get_running_loop().time() + epoch_ms / 1000 - time.time()
