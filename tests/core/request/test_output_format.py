"""What becomes of each stream by the format of the output: copied, or re-encoded, and as what."""

from itertools import product

import pytest

from transcoder.core.media.streams import Medium, Stream
from transcoder.core.request.output_format import (
    DECODABLE,
    ENCODER_CODECS,
    MP4_AUDIO_CODECS,
    MP4_VIDEO_CODECS,
    WHOLE_PERIOD,
    AudioMode,
    Clip,
    FileFormat,
    OutputFormat,
    TimeWindow,
    VideoMode,
    audio_encoder,
    audio_layout,
    can_encode_as,
)

EXACT, ROUGH = Clip(1.0, 2.0, exact=True), Clip(1.0, 2.0)
IN_MP4, NOT_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "opus", "flac"), ("mp2", "dts", "pcm")


def audio(codec: str, sample_rate: int | None = 48_000, channels: int | None = 2) -> Stream:
    return Stream(Medium.AUDIO, codec, 1, 0.0, sample_rate, channels)


def video(codec: str) -> Stream:
    return Stream(Medium.VIDEO, codec, 1, 0.0)


@pytest.mark.parametrize(("file_format", "media_type"), [("mp4", "video/mp4"), ("m4a", "audio/mp4"), ("mp3", "audio/mpeg")])
def test_the_media_type_is_that_of_the_registry(file_format: str, media_type: str) -> None:
    """RFC 4337 and RFC 3003."""
    assert FileFormat(file_format).content_type == media_type


@pytest.mark.parametrize("file_format", [FileFormat.MP4, FileFormat.M4A, FileFormat.MP3])
@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2video"])
def test_video_is_encoded_only_for_an_exact_clip_or_as_h264_if_it_is_another(codec: str, file_format: FileFormat) -> None:
    for clip, mode, joined in product((None, ROUGH, EXACT), VideoMode, (None, audio("aac"))):
        is_encoded = clip is EXACT or (mode is VideoMode.H264 and codec != "h264")
        found = OutputFormat(file_format, mode, clip, joined_to=joined).encoder(video(codec))
        assert found == ("libx264" if is_encoded else None)


@pytest.mark.parametrize("codec", [*IN_MP4, *NOT_IN_MP4])
@pytest.mark.parametrize("mode", AudioMode)
def test_the_first_audio_is_encoded_where_the_format_cannot_have_it(codec: str, mode: AudioMode) -> None:
    """A copied MP3 frame may need data of the one before it, so that no clip of MP3 is copied."""

    def encoder(file_format: FileFormat, clip: Clip | None) -> str | None:
        return OutputFormat(file_format, clip=clip, audio_mode=mode).encoder(audio(codec))

    for clip in (None, ROUGH):
        assert encoder(FileFormat.MP4, clip) == ("aac" if mode is AudioMode.AUTO and codec in NOT_IN_MP4 else None)
        assert encoder(FileFormat.M4A, clip) == (None if codec == "aac" else "aac")
        assert encoder(FileFormat.MP3, clip) == (None if codec == "mp3" and clip is None else "libmp3lame")
    assert [encoder(each, EXACT) for each in (FileFormat.MP4, FileFormat.M4A, FileFormat.MP3)] == ["aac", "aac", "libmp3lame"]


ENCODERS = {"aac": "aac", "mp3": "libmp3lame", "ac3": "ac3", "eac3": "eac3", "opus": "libopus"}
"""ffmpeg's encoders of what goes into an MP4, and can be encoded in the format of other audio."""


@pytest.mark.parametrize("before", ["aac", "mp3", "ac3", "eac3", "opus", "flac"])
@pytest.mark.parametrize(("codec", "sample_rate"), [("aac", 44_100), ("ac3", 48_000), ("mp3", 48_000), ("dts", 48_000)])
def test_audio_that_differs_from_what_came_before_is_encoded_as_that(before: str, codec: str, sample_rate: int) -> None:
    own, joined = audio(codec, sample_rate), audio(before)
    differs = (codec, sample_rate) != (before, 48_000)
    alone = {mode: OutputFormat(audio_mode=mode).encoder(own) for mode in AudioMode}
    found = {mode: OutputFormat(audio_mode=mode).after(joined).encoder(own) for mode in AudioMode}
    assert found[AudioMode.COPY] is alone[AudioMode.COPY] is None
    assert found[AudioMode.AUTO] == (ENCODERS.get(before, alone[AudioMode.AUTO]) if differs else alone[AudioMode.AUTO])
    assert OutputFormat(FileFormat.MP3).after(joined).encoder(own) == ("libmp3lame" if differs or codec != "mp3" else None)
    assert OutputFormat().after(joined).after(None) == OutputFormat()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        *[(audio(codec), True) for codec in ENCODERS],
        *[(audio(codec), False) for codec in ("flac", "dts", "vorbis")],
        *[(audio("aac", rate, channels), False) for rate, channels in ((None, 2), (0, 2), (48_000, None), (48_000, 0), (48_000, 7))],
        *[(audio("aac", 8000, channels), True) for channels in range(1, 7)],
    ],
)
def test_what_silence_can_be_encoded_as_has_a_known_format(stream: Stream, *, expected: bool) -> None:
    assert can_encode_as(stream) is expected
    assert not expected or audio_encoder(stream) == ENCODERS[stream.codec]


@pytest.mark.parametrize(
    ("channels", "layout"), [(None, None), (0, None), (1, "mono"), (2, "stereo"), (3, "3.0"), (4, "4.0"), (5, "5.0"), (6, "5.1"), (7, None)]
)
def test_channels_are_those_of_aac_but_four_of_opus(channels: int | None, layout: str | None) -> None:
    """ISO 14496-3, table 1.19; RFC 7845, 5.1.1.2."""
    assert [audio_layout(encoder, channels) for encoder in ("aac", "ac3", "libmp3lame")] == [layout] * 3
    assert audio_layout("libopus", channels) == ("quad" if channels == 4 else layout)


def test_an_encoder_makes_the_codec_that_it_is_for() -> None:
    assert {"libx264": "h264", "flac": "flac"} | {encoder: codec for codec, encoder in ENCODERS.items()} == ENCODER_CODECS
    assert set(IN_MP4) == MP4_AUDIO_CODECS
    assert {"h264", "hevc", "av1", "vp9"} == MP4_VIDEO_CODECS
    more = {"mpeg1video", "mpeg2video", "mpeg4", "vp8", "vc1", "mp1", "mp2", "aac_latm", "alac", "dts", "truehd", "vorbis", "s302m", "pcm"}
    assert {*IN_MP4, *MP4_VIDEO_CODECS, *more} == DECODABLE


@pytest.mark.parametrize(("start", "end"), list(product((None, 0.0, 2.0, 5.0), (None, 3.0, 8.0))))
def test_the_overlap_of_two_spans_is_what_both_have(start: float | None, end: float | None) -> None:
    """Counted in quarters of a second."""
    quarters = {number for number in range(40) if (start or 0.0) <= number / 4 < (10.0 if end is None else end)}
    for first, last in ((0, 10), (1, 4), (2, 3), (4, 6), (6, 9), (5, 5)):
        seconds = len(quarters.intersection(range(4 * first, 4 * last))) / 4
        assert TimeWindow(start, end).overlap(float(first), float(last)) == seconds
    assert WHOLE_PERIOD.overlap(-3.0, 4.0) == 7.0
