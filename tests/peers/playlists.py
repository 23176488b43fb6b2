"""Playlists: those in fixtures/playlists, and Media Playlists built from a short notation."""

from pathlib import Path

from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, parse, require_media_playlist
from transcoder.core.hls.variant_selection import select_variants
from transcoder.errors import UnsupportedSourceError, UpstreamError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "playlists"
FOLDER = "https://media.example/video/"
URL = FOLDER + "list.m3u8?token=a%2Fb&x=1"
BREAK = "#EXT-X-DISCONTINUITY"
GAP = "#EXT-X-GAP"


def media_playlist(*entries: str | float, target: int = 4, letter: str = "v") -> MediaPlaylist:
    """Make a playlist: a number is a segment of that many seconds, named by letter and index; a text is a line."""
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target}"]
    index = 0
    for entry in entries:
        if isinstance(entry, str):
            lines.append(entry)
        else:
            lines += [f"#EXTINF:{entry},", f"{letter}{index}"]
            index += 1
    return require_media_playlist(parse("\n".join([*lines, "#EXT-X-ENDLIST"]), "https://media.example/list.m3u8"))


def audio_playlist(*entries: str | float, target: int = 4) -> MediaPlaylist:
    """Make a playlist whose segments are named a0, a1 and so on."""
    return media_playlist(*entries, target=target, letter="a")


def section(name: str) -> str:
    """Return the tag of an initialization section."""
    return f'#EXT-X-MAP:URI="{name}"'


def read_playlist(name: str) -> str:
    """Return the text of a playlist in fixtures/playlists."""
    return (FIXTURES / f"{name}.m3u8").read_bytes().decode()


def parse_media(text: str, url: str = URL) -> MediaPlaylist:
    """Parse a text that must be a Media Playlist."""
    return require_media_playlist(parse(text, url))


def parse_or_refusal(text: str) -> MediaPlaylist | MultivariantPlaylist | str:
    """Parse a text; return the message of a refusal, and let any other failure through."""
    try:
        return parse(text, URL)
    except (UnsupportedSourceError, UpstreamError) as refusal:
        return str(refusal)


def outcome(playlist: MediaPlaylist | MultivariantPlaylist | str, *, audio: MediaPlaylist | None = None) -> object:
    """Select from a playlist or plan it; return the message of a refusal."""
    try:
        match playlist:
            case MultivariantPlaylist():
                return select_variants(playlist)
            case MediaPlaylist():
                return make_plan(playlist, audio)
            case str():
                return playlist
    except (UnsupportedSourceError, UpstreamError) as refusal:
        return str(refusal)
