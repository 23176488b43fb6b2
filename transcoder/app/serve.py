"""What serves a request."""

from collections.abc import Awaitable, Callable

from transcoder.app.answer import Answer
from transcoder.core.answer.event import Request

Serve = Callable[[Request, Answer], Awaitable[None]]
"""Serves one request: starts the response and writes its body, or raises."""
