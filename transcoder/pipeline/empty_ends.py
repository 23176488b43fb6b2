"""Segments without media at the end of a period: some packagers end a track with one, and give it next to no time."""

from transcoder.core.hls.plan import Plan, Segment, Track
from transcoder.core.media.no_media import MAX_EMPTY_SECONDS, MAX_SECONDS_OF_NOTHING, carries_no_media
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import MAX_FETCHES
from transcoder.errors import DamagedMediaError, EmptyResourceError
from transcoder.pipeline.key_store import KeyStore

_MAX_BYTES = 64 * 1024
"""A longer segment is not empty."""


async def without_empty_ends(plan: Plan, fetcher: Fetcher, keys: KeyStore) -> Plan:
    """Return a plan without the last segments of its tracks that have no media, as far as they last `MAX_EMPTY_SECONDS` at most.

    One that has no bytes at all lasts no more than `MAX_SECONDS_OF_NOTHING`: an origin that fails may send such an answer too.

    A period of which nothing is left is left out, unless it is the only one.

    Only segments that are as short as that are fetched for this, and again before it is believed that they are empty.

    Raises:
        UpstreamError: one of them, its key or its initialization section cannot be fetched.
        UnsupportedSourceError: one of them is protected.

    """
    least = 0 if len(plan.periods) > 1 else 1
    periods = []
    for period in plan.periods:
        tracks = [await _without_empty_end(track, fetcher, keys, least=least) for track in period.tracks]
        if all(track.segments for track in tracks):
            periods.append(period._replace(tracks=tuple(tracks)))
        elif any(track.segments for track in tracks):
            periods.append(period)
    return plan._replace(periods=tuple(periods)) if periods else plan


async def _without_empty_end(track: Track, fetcher: Fetcher, keys: KeyStore, *, least: int) -> Track:
    kept = len(track.segments)
    while kept > least and sum(segment.seconds for segment in track.segments[kept - 1 :]) <= MAX_EMPTY_SECONDS:
        if not await _is_empty(track.segments[kept - 1], fetcher, keys):
            break
        kept -= 1
    if not kept or kept == len(track.segments):
        return track._replace(segments=track.segments[:kept])
    end, last = (segment.at + segment.seconds for segment in (track.segments[kept - 1], track.segments[-1]))
    return track._replace(segments=track.segments[:kept], seconds=track.seconds - (last - end))


async def _is_empty(segment: Segment, fetcher: Fetcher, keys: KeyStore) -> bool:
    """Return whether a segment has no media each time it is fetched; an empty body is asked for again while it is fetched."""
    if segment.range and not segment.range.length:
        return True
    init = await keys.initialization_section(segment.init)
    for _ in range(MAX_FETCHES):
        try:
            body = await fetcher.first_bytes(segment.url, segment.range, size=_MAX_BYTES)
            decryptor = await keys.decryptor(segment.key)
            clear = decryptor.feed(body) + decryptor.end() if decryptor and body else body
        except EmptyResourceError:
            return segment.seconds <= MAX_SECONDS_OF_NOTHING
        except DamagedMediaError:
            return False  # it is fetched once more, and what reads it then says what is wrong with it
        if len(body) == _MAX_BYTES or not carries_no_media(clear, init=init):
            return False
    return True
