"""Which names in CODECS (RFC 6381) are audio, and which of them MP4 cannot hold as they are."""

import pytest

from transcoder.core.hls.codecs import audio_to_reencode, is_audio

AUDIO = (
    *(
        "mp4a.40.2",
        "mp4a.69",
        "ac-3",
        "EC-3",
        "ac-4.02.01.00",
        "opus",
        "fLaC",
        "mp3",
        "vorbis",
        "alac",
        "dtsc",
        "dtsh",
        "iamf.000.000.Opus",
    ),
    *("mhm1.0x0D", "mha1.0x0D", "samr", "mlpa", "lpcm", "ipcm", "fpcm", "sowt", "twos", "in24", "in32", "fl32"),
)
"""RFC 6381 and the registry of MP4RA."""


@pytest.mark.parametrize("codec", AUDIO)
def test_the_name_of_an_audio_codec(codec: str) -> None:
    assert is_audio(codec)


@pytest.mark.parametrize("codec", ["avc1.4d401e", "hvc1.1.6.L93.B0", "av01.0.04M.08", "vp09.00.10.08", "wvtt", "stpp.ttml.im1t", ""])
def test_the_name_of_another_codec(codec: str) -> None:
    assert not is_audio(codec)
    assert audio_to_reencode([codec]) is None


@pytest.mark.parametrize(
    ("codecs", "name"),
    [
        (["avc1.4d401e", "mp4a.40.33"], "mp2"),
        (["mp4a.40.32"], "mp2"),
        (["mp4a.40.2"], None),
        (["mp4a.a9"], "dts"),
        (["DTSC"], "dts"),
        *(([codec], "pcm") for codec in ("lpcm", "ipcm", "fpcm", "sowt", "twos", "in24", "in32", "fl32")),
        (["vorbis"], "vorbis"),
        (["mp4a.dd"], "vorbis"),
        (["alac"], "alac"),
        (["mlpa"], "truehd"),
        ([], None),
        (["mp4a.40.34"], None),
        (["mp4a.40.2", "dtsc", "alac"], "dts"),
    ],
)
def test_the_codec_that_mp4_cannot_hold(codecs: list[str], name: str | None) -> None:
    assert audio_to_reencode(codecs) == name
