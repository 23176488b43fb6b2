"""Files that are one segment of HLS media, without a playlist: an output is made of each as of a playlist with that segment alone."""

import re
from urllib.parse import unquote, urlsplit

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.mp4.boxes import leading_boxes
from transcoder.core.media.mp4_source.tracks import source_damage
from transcoder.core.media.packed_audio import PackedAudioInspector
from transcoder.core.media.presentation_ends import END_BYTES, presentation_ends
from transcoder.core.media.probe import begins_with_box, probe
from transcoder.core.media.signatures import audio_codec, is_transport_stream
from transcoder.core.media.streams import Container, Medium, Probe, TrackKind
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import UnsupportedSourceError

_CONTAINERS = {"aac": Container.ADTS, "ac3": Container.AC3, "eac3": Container.EAC3}
"""By codec. An MP3 is a file that any player can play."""
_SEGMENT_NAME = r"(?i)\.(m4s|cmfv|cmfa)$"
_AUDIO_NAME = r"(?i)\.(aac|ac3|ec3|eac3)$"
_SEGMENT_BOXES = frozenset({b"styp", b"sidx", b"moof", b"emsg", b"prft"})
"""Boxes that a segment begins with, and an MP4 file does not."""
_APART_SECONDS = 60.0
"""So much later the audio of a file may begin than its video, or the other way round: no playlist says that they begin together."""


def segment_container(head: FileHead) -> Container | None:
    """Return the container of a file that is one segment; None if it is another file, which is passed through."""
    first = head.first_bytes
    if is_transport_stream(first):
        return Container.MPEGTS
    if begins_with_box(first):
        is_segment = first[4:8] in _SEGMENT_BOXES or _has_name(head, _SEGMENT_NAME) or head.content_type == "video/iso.segment"
        return Container.FMP4 if is_segment else None
    if first.startswith(b"ID3") and _has_name(head, _AUDIO_NAME):
        return Container.ADTS  # its tag may be longer than what is known of it
    return _CONTAINERS.get(audio_codec(first) or "")


def has_movie_header(head: bytes) -> bool | None:
    """Return whether a fragmented MP4 that begins with `head` has its `moov` before its media; None if more bytes are needed.

    Raises:
        UpstreamError: its boxes are broken.
    """
    with source_damage():
        for box in leading_boxes(head):
            if box.type == b"moov":
                return True if box.end <= len(head) else None
            if box.type in {b"moof", b"mdat"}:
                return False
    return None


def no_movie_header(name: str) -> UnsupportedSourceError:
    """Return the error for a segment of fragmented MP4 that cannot be played alone."""
    return UnsupportedSourceError(
        f"{name} is one segment of a video, without the initialization section (moov) that tells how to read it. Use the video's playlist."
    )


def measured_seconds(first: bytes, *, whole: bool, length: int | None, last: bytes = b"") -> float:
    """Return the duration of a segment of `length` bytes: that of all its media, or an estimate by its `first` bytes.

    The `last` bytes of a transport stream show it too.

    Raises:
        UpstreamError: it is damaged.
        UnsupportedSourceError: it holds what no output can have.
    """
    found = probe(first, whole=True)
    if found is None:
        return 0.0
    if last:
        return _span_seconds(last, found)
    seconds = _span_seconds(first, found) if found.container in {Container.MPEGTS, Container.FMP4} else _frame_seconds(first, found)
    return seconds if whole or not length else seconds * length / len(first)


def _span_seconds(segment: bytes, found: Probe) -> float:
    """Return how long it is from the first presentation time to the last one in `segment`, of a transport stream only its end."""
    starts = [stream.start for stream in found.streams if stream.start is not None]
    ends = presentation_ends(segment[-END_BYTES:] if found.container is Container.MPEGTS else segment, found)
    return max((unwrap(end, near=min(starts)) for end in ends.values()), default=min(starts)) - min(starts) if starts else 0.0


def _frame_seconds(first: bytes, found: Probe) -> float:
    """Return how long all audio frames last; the last one may be cut off."""
    inspector = PackedAudioInspector(found)
    inspector.begin()
    inspector.feed(first)
    return inspector.samples[Medium.AUDIO] * inspector.sample_seconds.get(Medium.AUDIO, 0.0)


def plan_segment(url: str, *, seconds: float, length: int | None) -> Plan:
    """Return the plan for one segment; `seconds` 0 is an unknown duration, which its end shows."""
    segment = Segment(url, seconds, 0.0, None, None, None, rounding=max(seconds, 1.0), guessed=True)
    return Plan((Period((Track(TrackKind.BOTH, (segment,), seconds),)),), target_seconds=_APART_SECONDS, estimated_bytes=length)


def _has_name(head: FileHead, pattern: str) -> bool:
    """Return whether the path of the file's address ends like that, before or after redirects."""
    return any(re.search(pattern, unquote(urlsplit(url).path)) for url in (head.requested_url, head.url))
