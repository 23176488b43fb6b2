"""Media Playlists → the plan of the whole job, or a refusal in words."""

import math
from collections.abc import Iterable
from dataclasses import replace

from transcoder.core.hls import periods
from transcoder.core.hls.decryption_keys import usable_key
from transcoder.core.hls.plan import Init, Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MapTag, Media, MediaSegment
from transcoder.core.hls.playlist.uris import shown
from transcoder.core.media.streams import TrackKind
from transcoder.errors import UnsupportedSourceError

MAX_SECONDS = 30 * 24 * 3600
"""A longer source is refused."""


def make_plan(video: Media, audio: Media | None = None, *, bandwidth: int | None = None) -> Plan:
    """Plan the film that the playlists describe: its periods, and in each the segments of its tracks.

    `video` is the chosen variant's playlist, `audio` that of its sound where it is apart; without it, `video` brings whatever
    its segments hold. `bandwidth` is the variant's, in bits per second, sound included: what the estimate is made from where
    the playlists do not tell bytes.

    Raises:
        UnsupportedSourceError: it has no end or no media, is protected or broken, or the breaks of picture and sound differ.
    """
    if audio is None:
        _check(video)
        tracks = _Tracks(video, TrackKind.BOTH)
        pieces = [[tracks.track(span)] for span in periods.alone(video)]
    else:
        _check(video)
        _check(audio)
        picture, sound = _Tracks(video, TrackKind.VIDEO), _Tracks(audio, TrackKind.AUDIO)
        pieces = [[picture.track(left), sound.track(right)] for left, right in periods.together(video, audio)]
    # A period of gaps alone holds nothing that could be joined.
    planned = tuple(_period(found) for piece in pieces if (found := [track for track in piece if track is not None]))
    return Plan(
        periods=planned,
        target_seconds=max(video.target_seconds, audio.target_seconds if audio else 0),
        estimated_bytes=_estimated_bytes(planned, bandwidth),
    )


def _check(media: Media) -> None:
    """Refuse what cannot become a film, before anything of it is fetched."""
    where = shown(media.url)
    if not media.segments:
        raise UnsupportedSourceError(f"{where} lists no segments.")
    if media.stills_only:
        raise UnsupportedSourceError(f"{where} lists single pictures for scrubbing, not a film.")
    if not media.ended and media.kind != "VOD":
        raise UnsupportedSourceError(f"{where} has no end: it is a live stream, which is not supported.")
    if media.skips:
        raise UnsupportedSourceError(f"{where} is a delta update, which leaves out segments.")
    if all(segment.gap for segment in media.segments):
        raise UnsupportedSourceError(f"{where} lists only gaps: none of its segments exist.")
    if math.fsum(segment.seconds for segment in media.segments) > MAX_SECONDS:
        raise UnsupportedSourceError(f"{where} lasts longer than {MAX_SECONDS} seconds.")


class _Tracks:
    """Makes the tracks of one playlist."""

    def __init__(self, media: Media, kind: TrackKind) -> None:
        self._media = media
        self._kind = kind
        self._inits: dict[tuple[object, ...], Init] = {}

    def track(self, span: periods.Span) -> Track | None:
        """Make one run of segments a track; None if they are all gaps."""
        segments: list[Segment] = []
        at = 0.0
        for listed in self._media.segments[span.first : span.end]:
            if not listed.gap:
                segments.append(self._segment(listed, at))
            at += listed.seconds
        if not segments:
            return None
        return Track(self._kind, tuple(segments), segments[-1].at + segments[-1].seconds - segments[0].at)

    def _segment(self, listed: MediaSegment, at: float) -> Segment:
        return Segment(
            url=listed.url,
            seconds=listed.seconds,
            at=at,
            range=listed.range,
            key=usable_key(listed.keys, listed.sequence) if listed.keys else None,
            init=None if listed.map is None else self._init(listed.map, listed.sequence),
        )

    def _init(self, section: MapTag, sequence: int) -> Init:
        """Make the initialization section of a segment, the same value for as long as the tag says the same.

        The IV must stand in the tag (RFC 8216, 4.3.2.5); where it does not, it is taken from the first segment that the section
        is for. Players do so too, and a wrong guess is found out at the section's first box.
        """
        if section.url is None:
            raise UnsupportedSourceError("The playlist is broken: it has an initialization section without an address.")
        if section.range is not None and not section.range.length:
            raise UnsupportedSourceError("The playlist is broken: it has an initialization section without a byte.")
        same = (section.url, section.range, section.keys)
        if same not in self._inits:
            self._inits[same] = Init(section.url, section.range, usable_key(section.keys, sequence))
        return self._inits[same]


def _period(tracks: list[Track]) -> Period:
    """Count time from the first media in the period: gaps before it are cut off, and what one track begins later is kept."""
    first = min(track.segments[0].at for track in tracks)
    if not first:
        return Period(tuple(tracks))
    return Period(tuple(replace(track, segments=tuple(_earlier(track.segments, first))) for track in tracks))


def _earlier(segments: Iterable[Segment], seconds: float) -> Iterable[Segment]:
    """Move segments towards the period's begin."""
    return (replace(segment, at=segment.at - seconds) for segment in segments)


def _estimated_bytes(planned: tuple[Period, ...], bandwidth: int | None) -> int | None:
    """Add up the byte ranges where all are told; otherwise count on the bandwidth; None if neither is known."""
    tracks = [track for period in planned for track in period.tracks]
    ranges = [segment.range for track in tracks for segment in track.segments]
    if None not in ranges:
        return sum(part.length for part in ranges if part is not None)
    if bandwidth is None:
        return None
    return math.ceil(bandwidth * math.fsum(max(track.seconds for track in period.tracks) for period in planned) / 8)
