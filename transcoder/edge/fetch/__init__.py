"""Origins: playlists, keys, initialization sections and segments, with limits, retries and continuation."""

from transcoder.edge.fetch.fetcher import Fetcher, Text
from transcoder.edge.fetch.passthrough import FileFoundError, FileSink
from transcoder.edge.fetch.session import ApiRequest

__all__ = ["ApiRequest", "Fetcher", "FileFoundError", "FileSink", "Text"]
