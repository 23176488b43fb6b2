"""Media that is fetched before it is read: in playing order, several requests at once, within a budget of bytes."""

from transcoder.edge.prefetch.prefetcher import MAX_FETCHES, ByteSink, Prefetcher
from transcoder.edge.prefetch.track_reader import Check, TrackReader

__all__ = ["MAX_FETCHES", "ByteSink", "Check", "Prefetcher", "TrackReader"]
