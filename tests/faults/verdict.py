"""What became of a run: compares what arrived with the undisturbed output of the same source, packet by packet."""

import hashlib
import math
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from pathlib import Path

import av
from peers.media_reader import is_whole


class Verdict(Enum):
    """How a run ended; a later one is worse."""

    WHOLE = "whole"
    FAILED = "failed"
    """It is visibly no success."""
    LOSS = "silent loss"
    """It looks like a success, and differs from the undisturbed output."""
    HANG = "hang"
    LEFTOVER = "leftover"
    """A file or a process remains."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one download left."""

    success: bool
    """What the exit code, or the status and the end of the body, say."""
    file: Path | None = None
    """What arrived."""
    detail: str = ""
    """The exit code or the status, with the message."""
    hung: bool = False
    leftovers: list[str] = field(default_factory=list)
    index_is_promised: bool = True
    """Success means that the file ends with its index; false where a stream that failed ends as if it were whole."""


_ROUNDING_SECONDS = 0.000_025
"""Times may differ by so much: layouts count them in different units."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of an MP4."""

    presented: float
    """In seconds."""
    decoded: float
    """In seconds."""
    content: bytes
    """A hash of its bytes."""

    def is_at_time_of(self, other: "Packet") -> bool:
        """Return whether both are decoded and presented at the same times."""
        return max(abs(self.presented - other.presented), abs(self.decoded - other.decoded)) <= _ROUNDING_SECONDS


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of an MP4: what a decoder gets."""

    codec: str
    setup: str
    """A hash of what the decoder is set up with."""
    packets: tuple[Packet, ...]


def streams(file: Path) -> dict[str, Stream]:
    """Return the streams of an MP4 by their medium.

    Raises `av.FFmpegError` if it cannot be read.
    """
    packets: dict[int, list[Packet]] = {}
    with av.open(file) as container:
        for packet in container.demux():
            if packet.size:
                digest = hashlib.blake2b(bytes(packet), digest_size=8).digest()
                presented, decoded = (math.nan if time is None else float(time * packet.time_base) for time in (packet.pts, packet.dts))
                packets.setdefault(packet.stream_index, []).append(Packet(presented, decoded, digest))
        return {
            stream.type: Stream(stream.codec_context.name, _setup(stream), tuple(packets.get(stream.index, ())))
            for stream in container.streams
        }


def _setup(stream: av.stream.Stream) -> str:
    context = stream.codec_context
    fields = [getattr(context, name, None) for name in ("width", "height", "sample_rate", "extradata")]
    return hashlib.blake2b(repr(fields).encode(), digest_size=8).hexdigest()


@lru_cache
def expected_streams(file: Path) -> dict[str, Stream]:
    """Return `streams` of an undisturbed output, which is read once."""
    return streams(file)


def judge(outcome: Outcome, undisturbed: Path) -> tuple[Verdict, str]:
    """Return the verdict about a download and its reason, given the undisturbed output of the same source."""
    if outcome.hung:
        return Verdict.HANG, outcome.detail
    if outcome.leftovers:
        return Verdict.LEFTOVER, f"{', '.join(outcome.leftovers)} after {outcome.detail}"
    if not outcome.success:
        return Verdict.FAILED, outcome.detail
    if outcome.file is None or not is_whole(outcome.file):
        return Verdict.LOSS if outcome.index_is_promised else Verdict.FAILED, f"{outcome.detail}: there is no file with an index"
    difference = compare(outcome.file, undisturbed)
    return (Verdict.LOSS, difference) if difference else (Verdict.WHOLE, outcome.detail)


def compare(file: Path, undisturbed: Path) -> str:
    """Return how an MP4 differs from the undisturbed one; nothing if no stream and no packet does."""
    if file.read_bytes() == undisturbed.read_bytes():
        return ""
    expected = expected_streams(undisturbed)
    try:
        found = streams(file)
    except av.FFmpegError as error:
        return f"the file cannot be read: {error}"
    if found.keys() != expected.keys():
        return f"streams: {', '.join(found)} instead of {', '.join(expected)}"
    return "; ".join(filter(None, (_difference(medium, found[medium], expected[medium]) for medium in expected)))


def _difference(medium: str, found: Stream, expected: Stream) -> str:
    if len(found.packets) != len(expected.packets):
        return f"{medium}: {len(found.packets)} packets instead of {len(expected.packets)}"
    pairs = list(zip(found.packets, expected.packets, strict=True))
    times = sum(not ours.is_at_time_of(theirs) for ours, theirs in pairs)
    contents = sum(ours.content != theirs.content for ours, theirs in pairs)
    if not times and not contents and (found.codec, found.setup) == (expected.codec, expected.setup):
        return ""
    return f"{medium}: {times} packets at other times, {contents} with other bytes" + (
        "" if found.setup == expected.setup else ", other setup"
    )
