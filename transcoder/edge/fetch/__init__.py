"""Origins: playlists, keys, initialization sections and segments, with limits, retries and continuation."""

from transcoder.edge.fetch.exchange import Question
from transcoder.edge.fetch.fetcher import Fetcher, Text
from transcoder.edge.fetch.files import FileFoundError, FileSink

__all__ = ["Fetcher", "FileFoundError", "FileSink", "Question", "Text"]
