"""What a test origin serves and records."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from peers.origin_rules import GOOD, Request, Rule

Files = Mapping[str, bytes] | Path
"""Paths to bytes, or a folder."""
Decide = Callable[[Request, int], Rule]
"""Returns the rule for a request, given how many requests for the same resource came before it."""


class Origin:
    """The origin's state: its files, its rules, and the requests so far. Made by `origin`."""

    def __init__(self, files: Files, *, base: str) -> None:
        """Serve `files` under `base`, such as `http://127.0.0.1:8000`."""
        self.files = files
        self.base = base
        self.rules: dict[str, Rule | Sequence[Rule]] = {}
        self.decide: Decide | None = None
        """Decides instead of `rules`."""
        self.resource_of: Callable[[Request], str] = lambda request: request.path
        """Names the resource whose requests are counted for `decide`."""
        self.requests: list[Request] = []
        self.connections = 0
        """How many connections have been accepted."""
        self.used_connections = 0
        """How many of them have brought a request."""
        self.open_connections = 0
        """How many are open now."""
        self.active_requests = 0
        """How many requests are being answered now."""
        self.max_active_requests = 0
        """The most requests that were answered at the same time."""
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._used: Counter[tuple[str, int]] = Counter()
        self._asked: Counter[str] = Counter()

    def url(self, path: str) -> str:
        """Return the URL of `path`, which begins with a slash and may have a query."""
        return self.base + path

    @property
    def sent(self) -> int:
        """Body bytes that the kernel has accepted, over all paths."""
        with self.lock:
            return sum(request.sent for request in self.requests)

    def sent_of(self, path: str) -> int:
        """Body bytes that the kernel has accepted for one path."""
        return sum(request.sent for request in self.requests_of(path))

    def requests_of(self, path: str) -> list[Request]:
        """Return the requests for one path, in the order of their arrival."""
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def rule_for(self, request: Request) -> Rule:
        """Return the rule that `decide` chooses, or the first one that applies to this request, and count its use."""
        if self.decide is not None:
            resource = self.resource_of(request)
            with self.lock:
                earlier = self._asked[resource]
                self._asked[resource] += 1
            return self.decide(request, earlier)
        name = request.path if request.path in self.rules else "*"
        rules = self.rules.get(name, ())
        with self.lock:
            for number, rule in enumerate([rules] if isinstance(rules, Rule) else rules):
                if rule.times is not None and self._used[name, number] >= rule.times:
                    continue
                if rule.when is None or rule.when(request):
                    self._used[name, number] += 1
                    return rule
        return GOOD

    def content(self, path: str) -> bytes | Path | None:
        """Return the bytes or the file that `path` names; None if there is neither."""
        if isinstance(self.files, Path):
            file = (self.files / path.lstrip("/")).resolve()
            return file if file.is_file() and file.is_relative_to(self.files.resolve()) else None
        return self.files.get(path)
