"""HTTP fetching from origins: playlists, keys, initialization sections and segments, with limits, retries and resumed transfers."""

from transcoder.edge.fetch.fetcher import Fetcher
from transcoder.edge.fetch.passthrough import FileSink, NotAPlaylistError
from transcoder.edge.fetch.playlist_text import PlaylistText
from transcoder.edge.fetch.session import ApiRequest

__all__ = ["ApiRequest", "Fetcher", "FileSink", "NotAPlaylistError", "PlaylistText"]
