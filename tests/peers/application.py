"""The application without Lambda: it takes a request and returns the recorded response."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from peers.event_loop import run

from transcoder.app import application
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.settings import Settings


@dataclass(slots=True)
class Answered:
    """A recorded response."""

    head: ResponseHead | None = None
    body: bytearray = field(default_factory=bytearray)
    notes: dict[str, str | float] = field(default_factory=dict)
    deadline: float | None = None

    @property
    def started(self) -> bool:
        return self.head is not None

    @property
    def status(self) -> int:
        assert self.head is not None
        return int(self.head.status)

    @property
    def headers(self) -> dict[str, str]:
        assert self.head is not None
        return dict(self.head.headers)

    @property
    def document(self) -> dict[str, Any]:
        """The body, parsed as JSON."""
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document

    @property
    def problem(self) -> tuple[int, str, str]:
        """Status, slug and detail of a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        return self.status, str(self.document["type"]).rpartition(":")[2], str(self.document["detail"])

    def note(self, **fields: str | float) -> None:
        self.notes.update(fields)

    async def start(self, head: ResponseHead) -> None:
        assert self.head is None
        self.head = head

    async def write(self, chunk: bytes) -> None:
        assert self.head is not None
        self.body += chunk


def ask(
    target: str,
    *,
    network: Network = INTERNET,
    settings: Settings | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    into: Answered | None = None,
) -> Answered:
    """Send a request for `target`, a path with a query, to a new application; the response is recorded in `into`, if it is given."""
    answers = None if into is None else [into]
    return ask_all([target], network=network, settings=settings, method=method, headers=headers, into=answers)[0]


def ask_all(
    targets: list[str],
    *,
    network: Network = INTERNET,
    settings: Settings | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    into: Sequence[Answered] | None = None,
) -> list[Answered]:
    """Send requests for `targets` to one application, one after another.

    The responses are recorded in `into`, if it is given: then they are there even if a request fails after its response has begun.
    """
    answers = [Answered() for _ in targets] if into is None else list(into)

    async def ask_each() -> list[Answered]:
        async with application(settings or Settings(), network=network) as serve:
            for target, answer in zip(targets, answers, strict=True):
                path, _, query = target.partition("?")
                await serve(Request(method, path, query, headers or {}), answer)
        return answers

    return run(ask_each())
