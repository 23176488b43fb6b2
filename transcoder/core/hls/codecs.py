"""The names of codecs in CODECS (RFC 6381): which are audio, and which MP4 cannot hold as they are."""

import re
from collections.abc import Iterable

AUDIO_CODECS = re.compile(r"(mp4a|ac-3|ec-3|ac-4|opus|flac|mp3|vorbis|alac|dts|iamf|mhm|mha|samr)", re.IGNORECASE)
"""How the name of an audio codec begins."""
_NOT_IN_MP4 = {
    r"mp4a\.40\.3[23]": "mp2",
    r"dts|mp4a\.a9": "dts",
    r"lpcm|ipcm|fpcm|sowt|twos|in24|in32|fl32": "pcm",
    r"vorbis|mp4a\.dd": "vorbis",
    r"alac": "alac",
    r"mlpa": "truehd",
}
"""How such a name begins, and ffmpeg's name of the codec."""


def is_audio(codec: str) -> bool:
    """Whether a name in CODECS is that of an audio codec."""
    return AUDIO_CODECS.match(codec) is not None or audio_to_reencode([codec]) is not None


def audio_to_reencode(codecs: Iterable[str]) -> str | None:
    """Return the codec of the audio that has to be re-encoded for MP4, by ffmpeg's name; None if there is none that `codecs` names."""
    found = (name for codec in codecs for pattern, name in _NOT_IN_MP4.items() if re.match(pattern, codec, re.IGNORECASE))
    return next(found, None)
