"""The names of codecs in CODECS (RFC 6381) that MP4 cannot hold as they are."""

import re
from collections.abc import Iterable

_NOT_IN_MP4 = {
    r"mp4a\.40\.3[23]": "mp2",
    r"dts|mp4a\.a9": "dts",
    r"lpcm|ipcm|fpcm|sowt|twos|in24|in32|fl32": "pcm",
    r"vorbis|mp4a\.dd": "vorbis",
    r"alac": "alac",
    r"mlpa": "truehd",
}
"""How such a name begins, and ffmpeg's name of the codec."""


def audio_to_reencode(codecs: Iterable[str]) -> str | None:
    """Return the codec of the audio that has to be re-encoded for MP4, by ffmpeg's name; None if there is none that `codecs` names."""
    found = (name for codec in codecs for pattern, name in _NOT_IN_MP4.items() if re.match(pattern, codec, re.IGNORECASE))
    return next(found, None)
