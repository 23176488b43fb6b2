"""The indexes that an execution environment keeps from one request to the next."""

import hashlib
from collections import OrderedDict

from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.pipeline.plain_file import RECIPE, PlainFile


class IndexCache:
    """Keeps the indexes that were used last, within a budget of bytes."""

    def __init__(self, budget_bytes: int) -> None:
        """Keep at most about `budget_bytes`."""
        self._budget = budget_bytes
        self._files: OrderedDict[str, PlainFile] = OrderedDict()
        self.used = 0
        """How many bytes are kept, about."""

    def find(self, key: str) -> PlainFile | None:
        """Return the file of that key, and keep it longer than all others; None if it is not kept."""
        if key in self._files:
            self._files.move_to_end(key)
        return self._files.get(key)

    def keep(self, key: str, file: PlainFile) -> None:
        """Keep a file instead of those that were used longest ago, unless it is longer than the whole budget."""
        self.drop(key)
        if file.kept_bytes > self._budget:
            return
        self._files[key], self.used = file, self.used + file.kept_bytes
        while self.used > self._budget:
            _, oldest = self._files.popitem(last=False)
            self.used -= oldest.kept_bytes

    def drop(self, key: str) -> None:
        """Forget a file: its source has changed."""
        if (file := self._files.pop(key, None)) is not None:
            self.used -= file.kept_bytes


def index_key(plan: Plan, labels: Labels, *, max_heads: int) -> str:
    """Return a digest, in hexadecimal digits, of what an index depends on before any head is fetched: all that the playlists say."""
    return hashlib.sha256(repr((RECIPE, plan, labels, max_heads)).encode()).hexdigest()
