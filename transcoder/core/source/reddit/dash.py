"""Posts older than Reddit's HLS: the MP4 files of their DASH manifest, one with the picture and one with the sound."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from transcoder.errors import UnsupportedSourceError

_SOUND_NAMES = (
    "CMAF_AUDIO_128.mp4",
    "CMAF_AUDIO_64.mp4",
    "DASH_AUDIO_128.mp4",
    "DASH_AUDIO_64.mp4",
    "DASH_audio.mp4",
    "audio",
)
_DOCUMENT_TYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DURATION = re.compile(r"PT(?:([0-9.]{1,9})H)?(?:([0-9.]{1,9})M)?(?:([0-9.]{1,9})S)?")


@dataclass(frozen=True, slots=True)
class Mp4Files:
    """A film in two files, each with one track."""

    picture: str
    sound: str | None
    seconds: float | None = None
    short_side: int | None = None
    """In pixels, where it is told."""
    bandwidth: int | None = None
    """Bits per second of both, where they are told."""


@dataclass(frozen=True, slots=True)
class _Representation:
    url: str
    sound: bool
    short_side: int
    bandwidth: int


def mp4_files(manifest: str, url: str, *, height: int | None = None) -> Mp4Files:
    """Pick the files of a DASH manifest (ISO 23009-1) whose representations are whole files, as Reddit's are.

    `url` is where the manifest came from; the picture is the best whose short side is at most `height`, or the smallest.

    Raises:
        UnsupportedSourceError: it is not such a manifest, or names no picture.

    """
    if _DOCUMENT_TYPE.search(manifest):  # where entities are defined, which can be made to grow
        raise UnsupportedSourceError("The DASH manifest of the video is broken.")
    try:
        root = ET.fromstring(manifest)  # noqa: S314  # entities were refused above
    except ET.ParseError as error:
        raise UnsupportedSourceError("The DASH manifest of the video is broken.") from error
    found = [each for each in _representations(root, url) if not each.url.endswith("/")]
    pictures = [each for each in found if not each.sound]
    sounds = [each for each in found if each.sound]
    if not pictures:
        raise UnsupportedSourceError("The DASH manifest of the video names no picture.")
    picture = max(pictures, key=lambda each: _rank(each, height))
    sound = max(sounds, key=lambda each: each.bandwidth, default=None)
    return Mp4Files(
        picture.url,
        sound.url if sound else None,
        _seconds(root.get("mediaPresentationDuration", "")),
        picture.short_side or None,
        (picture.bandwidth + (sound.bandwidth if sound else 0)) or None,
    )


def sound_names(picture: str) -> tuple[str, ...]:
    """List where the sound that belongs to a picture's file may be, the likeliest first: Reddit renamed it several times."""
    folder, _, file = picture.partition("?")[0].rpartition("/")
    era = "CMAF" if file.upper().startswith("CMAF") else "DASH"
    names = sorted(_SOUND_NAMES, key=lambda name: not name.startswith(era))
    return tuple(f"{folder}/{name}" for name in names)


def _rank(representation: _Representation, height: int | None) -> tuple[bool, int, int]:
    side = representation.short_side
    fits = height is None or side <= height
    return fits, side if fits else -side, representation.bandwidth


def _representations(root: ET.Element, url: str) -> list[_Representation]:
    found = []
    for adaptation in root.iterfind("{*}Period/{*}AdaptationSet"):
        for entry in adaptation.iterfind("{*}Representation"):
            kind = entry.get("mimeType") or adaptation.get("mimeType") or adaptation.get("contentType") or ""
            sound = kind.startswith("audio") or (not kind and entry.get("audioSamplingRate") is not None)
            if not (sound or kind.startswith("video") or not kind):
                continue
            base = entry.findtext("{*}BaseURL", "").strip()
            sides = [_number(entry.get(name) or adaptation.get(name)) for name in ("width", "height")]
            found.append(_Representation(urljoin(url, base) if base else "/", sound, min(sides), _number(entry.get("bandwidth"))))
    return found


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,10}", text) else 0


def _seconds(text: str) -> float | None:
    """Read an ISO 8601 duration of hours, minutes and seconds."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    try:
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds
