"""What a command says of an output that is whole."""

import json
import sys
from dataclasses import dataclass
from typing import NamedTuple

from transcoder.core.answer.plain_text import one_line
from transcoder.core.output.announcement import Announcement
from transcoder.pipeline import Sink

_MINUTE = 60


class Written(NamedTuple):
    """What was written into an output."""

    length: int
    """Bytes."""
    seconds: float | None
    """Of media; None: unknown, as of a file that is saved as it is."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One output that is whole."""

    source: str
    path: str
    """`-` is standard output."""
    written: Written
    took: float
    """Seconds."""

    def __str__(self) -> str:
        """Return a line for people."""
        media = f", {_duration(self.written.seconds)} of media" if self.written.seconds is not None else ""
        path = "standard output" if self.path == "-" else one_line(self.path)
        return f"{path}: {self.written.length / 1e6:.1f} MB{media}, in {self.took:.1f} s"

    def json(self) -> str:
        """Return a line for programs."""
        length, seconds = self.written
        rounded = None if seconds is None else round(seconds, 3)
        document = {"url": self.source, "path": self.path, "bytes": length, "duration": rounded, "seconds": round(self.took, 3)}
        return json.dumps(document, ensure_ascii=False)

    def report(self, *, as_json: bool, quiet: bool) -> None:
        """Write a line to standard error unless `quiet`, and with `as_json` another to standard output."""
        if as_json:
            print(self.json(), flush=True)
        if not quiet:
            print(self, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class MeasuringSink:
    """Passes an output on, and measures it."""

    def __init__(self, sink: Sink) -> None:
        """Pass it on into `sink`."""
        self._sink = sink
        self.written = Written(0, None)
        """What has been passed on."""

    async def start(self, announcement: Announcement) -> None:
        """Pass the announcement on; a duration of 0 is unknown."""
        self.written = Written(0, announcement.seconds or None)
        await self._sink.start(announcement)

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on, and count them."""
        await self._sink.write(chunk)
        self.written = self.written._replace(length=self.written.length + len(chunk))
