"""Makes the plan of what to fetch from Media Playlists, or refuses them with a reason."""

import math
from collections.abc import Iterable

from transcoder.core.hls import periods
from transcoder.core.hls.decryption_keys import select_key
from transcoder.core.hls.left_out import left_out_before
from transcoder.core.hls.plan import Init, Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MapTag, MediaPlaylist, MediaSegment, TextEnd
from transcoder.core.hls.playlist.uris import without_query
from transcoder.core.media.streams import TrackKind
from transcoder.errors import UnsupportedSourceError, UpstreamError

MAX_SECONDS = 30 * 24 * 3600
"""A longer source is refused."""


def make_plan(
    video: MediaPlaylist, audio: MediaPlaylist | None = None, *, bandwidth: int | None = None, kind: TrackKind = TrackKind.BOTH
) -> Plan:
    """Return the plan for these playlists: the periods, and in each the segments of its tracks.

    `video` is the selected variant's playlist, `audio` that of its separate audio rendition. Without `audio`, `video` provides
    whatever its segments contain of what it is listed for, `kind`. `bandwidth` is the variant's, in bits per second, audio included:
    the size is estimated from it if the playlists do not give byte ranges.

    Raises:
        UnsupportedSourceError: the source is live, has no media, is protected or broken, or the breaks of video and audio differ.
        UpstreamError: a playlist's text is cut.
    """
    _check_supported(video)
    if audio is None:
        muxed = _TrackBuilder(video, kind)
        split = [[muxed.track(segments)] for segments in periods.split_single(video)]
    else:
        _check_supported(audio)
        builders = _TrackBuilder(video, TrackKind.VIDEO), _TrackBuilder(audio, TrackKind.AUDIO)
        split = [[builder.track(part) for builder, part in zip(builders, pair, strict=True)] for pair in periods.split_pair(video, audio)]
    # A period of gaps alone has nothing to join.
    planned = tuple(_period(existing) for tracks in split if (existing := [track for track in tracks if track is not None]))
    return Plan(
        periods=planned,
        target_seconds=max(video.target_seconds, audio.target_seconds if audio else 0),
        estimated_bytes=_estimated_bytes(planned, bandwidth),
        recorded=video.recorded,
    )


def _check_supported(playlist: MediaPlaylist) -> None:
    """Refuse a playlist that cannot become an MP4, before any media is fetched."""
    where = without_query(playlist.url)
    if not playlist.segments:
        raise UnsupportedSourceError(f"{where} lists no segments.")
    if playlist.stills_only:
        raise UnsupportedSourceError(f"{where} lists only still images for scrubbing, not a video.")
    if not playlist.ended and playlist.kind != "VOD":
        raise UnsupportedSourceError(f"{where} has no end: it is a live stream, which is not supported.")
    if playlist.text_end is TextEnd.CUT:
        raise UpstreamError(f"{where} is incomplete: its text ends in the middle of an entry, or lacks segments that the origin has.")
    if playlist.is_delta_update:
        raise UnsupportedSourceError(f"{where} is a delta update, which leaves out segments.")
    if all(segment.gap for segment in playlist.segments):
        raise UnsupportedSourceError(f"{where} lists only gaps: none of its segments exist.")
    if playlist.seconds > MAX_SECONDS:
        raise UnsupportedSourceError(f"{where} lasts longer than {MAX_SECONDS} seconds.")


class _TrackBuilder:
    """Builds the tracks of one playlist, one for each period."""

    def __init__(self, playlist: MediaPlaylist, kind: TrackKind) -> None:
        self._playlist = playlist
        self._kind = kind
        self._inits: dict[tuple[object, ...], Init] = {}
        self._left_out = left_out_before(playlist.segments)

    def track(self, part: periods.SegmentRange) -> Track | None:
        """Return the track for a run of segments; None if they are all gaps."""
        segments: list[Segment] = []
        at = 0.0
        for number, listed in enumerate(self._playlist.segments[part.first : part.end], part.first):
            if not listed.gap:
                segments.append(self._segment(listed, at, self._left_out[number]))
            at += listed.seconds
        if not segments:
            return None
        return Track(self._kind, tuple(segments), segments[-1].at + segments[-1].seconds - segments[0].at)

    def _segment(self, listed: MediaSegment, at: float, left_out: int) -> Segment:
        return Segment(
            url=listed.url,
            seconds=listed.seconds,
            at=at,
            range=listed.range,
            key=select_key(listed.keys, listed.sequence) if listed.keys else None,
            init=None if listed.map is None else self._init(listed.map, listed.sequence),
            rounding=self._playlist.rounding_of(listed),
            guessed=listed.guessed,
            left_out=left_out,
        )

    def _init(self, section: MapTag, sequence: int) -> Init:
        """Return the initialization section of a segment; equal tags yield the same value.

        The key tag must have an IV (RFC 8216, 4.3.2.5). If it has none, the IV is that of the first segment that uses the section.
        Players do the same, and a wrong guess is detected at the section's first box.
        """
        if section.url is None:
            raise UnsupportedSourceError("The playlist is broken: it has an initialization section without an address.")
        if section.range is not None and not section.range.length:
            raise UnsupportedSourceError("The playlist is broken: it has an initialization section of zero bytes.")
        identity = (section.url, section.range, section.keys)
        if identity not in self._inits:
            self._inits[identity] = Init(section.url, section.range, select_key(section.keys, sequence))
        return self._inits[identity]


def _period(tracks: list[Track]) -> Period:
    """Return a period whose time begins with its first media: leading gaps are cut off, an offset between its tracks is kept."""
    first = min(track.segments[0].at for track in tracks)
    if not first:
        return Period(tuple(tracks))
    return Period(tuple(track._replace(segments=tuple(_shift_earlier(track.segments, first))) for track in tracks))


def _shift_earlier(segments: Iterable[Segment], seconds: float) -> Iterable[Segment]:
    return (segment._replace(at=segment.at - seconds) for segment in segments)


def _estimated_bytes(planned: tuple[Period, ...], bandwidth: int | None) -> int | None:
    """Return the sum of the byte ranges if every segment has one, or else bandwidth times duration; None if neither is known."""
    tracks = [track for period in planned for track in period.tracks]
    ranges = [segment.range for track in tracks for segment in track.segments]
    if None not in ranges:
        return sum(part.length for part in ranges if part is not None)
    if bandwidth is None:
        return None
    return math.ceil(bandwidth * math.fsum(period.seconds for period in planned) / 8)
