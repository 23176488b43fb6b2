"""Posts older than Reddit's HLS playlists: selects the MP4 files of their DASH manifest, one with video and one with audio."""

import re
from typing import NamedTuple
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from transcoder.core.source.reddit.xml import parse_xml
from transcoder.errors import UnsupportedSourceError

_AUDIO_FILE_NAMES = (
    "CMAF_AUDIO_128.mp4",
    "CMAF_AUDIO_64.mp4",
    "DASH_AUDIO_128.mp4",
    "DASH_AUDIO_64.mp4",
    "DASH_audio.mp4",
    "audio",
)
_DURATION = re.compile(r"PT(?:([0-9.]{1,9})H)?(?:([0-9.]{1,9})M)?(?:([0-9.]{1,9})S)?")


class Mp4Files(NamedTuple):
    """The addresses of a video in two files, each with one track."""

    video: str
    audio: str | None
    seconds: float | None = None
    short_side: int | None = None
    """In pixels, if known."""
    bandwidth: int | None = None
    """Bits per second of both, if known."""


class _Representation(NamedTuple):
    url: str
    is_audio: bool
    short_side: int
    bandwidth: int


def mp4_files(manifest: str, url: str, *, height: int | None = None) -> Mp4Files:
    """Select the files of a DASH manifest (ISO 23009-1) whose representations are whole files, as Reddit's are.

    `url` is the manifest's address. The video is the best whose short side is at most `height` pixels, or the smallest if none is.

    Raises:
        UnsupportedSourceError: it is not such a manifest, or it lists no video.

    """
    root = parse_xml(manifest)
    if root is None:
        raise UnsupportedSourceError("The DASH manifest of the video is broken.")
    representations = [each for each in _representations(root, url) if not each.url.endswith("/")]
    videos = [each for each in representations if not each.is_audio]
    audios = [each for each in representations if each.is_audio]
    if not videos:
        raise UnsupportedSourceError("The DASH manifest of the video lists no video file.")
    video = max(videos, key=lambda each: _rank(each, height))
    audio = max(audios, key=lambda each: each.bandwidth, default=None)
    return Mp4Files(
        video.url,
        audio.url if audio else None,
        _seconds(root.get("mediaPresentationDuration", "")),
        video.short_side or None,
        (video.bandwidth + (audio.bandwidth if audio else 0)) or None,
    )


def audio_file_urls(video_url: str) -> tuple[str, ...]:
    """Return the addresses where the audio of a video file may be, most likely first: Reddit has renamed it several times."""
    folder, _, file = video_url.partition("?")[0].rpartition("/")
    prefix = "CMAF" if file.upper().startswith("CMAF") else "DASH"
    names = sorted(_AUDIO_FILE_NAMES, key=lambda name: not name.startswith(prefix))
    return tuple(f"{folder}/{name}" for name in names)


def _rank(representation: _Representation, height: int | None) -> tuple[bool, int, int]:
    side = representation.short_side
    fits = height is None or side <= height
    return fits, side if fits else -side, representation.bandwidth


def _representations(root: Element, url: str) -> list[_Representation]:
    found = []
    for adaptation in root.iterfind("{*}Period/{*}AdaptationSet"):
        for entry in adaptation.iterfind("{*}Representation"):
            kind = entry.get("mimeType") or adaptation.get("mimeType") or adaptation.get("contentType") or ""
            is_audio = kind.startswith("audio") or (not kind and entry.get("audioSamplingRate") is not None)
            if not (is_audio or kind.startswith("video") or not kind):
                continue
            address = _joined(url, entry.findtext("{*}BaseURL", "").strip())
            sides = [_number(entry.get(name) or adaptation.get(name)) for name in ("width", "height")]
            if address is not None:
                found.append(_Representation(address, is_audio, min(sides), _number(entry.get("bandwidth"))))
    return found


def _joined(url: str, base: str) -> str | None:
    """Return the address that a BaseURL names; None if it is none."""
    try:
        return urljoin(url, base) if base else "/"
    except ValueError:  # brackets around something that is not an IP address
        return None


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,10}", text) else 0


def _seconds(text: str) -> float | None:
    """Parse an ISO 8601 duration of hours, minutes and seconds."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    try:
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds
