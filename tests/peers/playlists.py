"""Media Playlists built from a short notation."""

from transcoder.core.hls.playlist import MediaPlaylist, parse, require_media_playlist

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
