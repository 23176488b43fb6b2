"""Media that is fetched before it is read: in playing order, several requests at once, within a budget of bytes."""

from transcoder.edge.prefetch.prefetcher import MAX_FETCHES, ByteSink, Prefetcher
from transcoder.edge.prefetch.read_ahead import SOON_SECONDS
from transcoder.edge.prefetch.track_reader import CHECKED_READ_BYTES, READ_BYTES, Check, TrackReader

__all__ = ["CHECKED_READ_BYTES", "MAX_FETCHES", "READ_BYTES", "SOON_SECONDS", "ByteSink", "Check", "Prefetcher", "TrackReader"]
