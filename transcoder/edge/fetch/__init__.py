"""HTTP fetching from origins: playlists, keys, initialization sections and segments, with limits, retries and resumed transfers."""

from transcoder.edge.fetch.connections import Connections
from transcoder.edge.fetch.fetcher import Fetcher
from transcoder.edge.fetch.known_version import KnownVersion
from transcoder.edge.fetch.passthrough import FileSink, NotAPlaylistError
from transcoder.edge.fetch.playlist_text import PlaylistText
from transcoder.edge.fetch.session import ApiRequest
from transcoder.edge.fetch.validators import Validators

__all__ = ["ApiRequest", "Connections", "Fetcher", "FileSink", "KnownVersion", "NotAPlaylistError", "PlaylistText", "Validators"]
