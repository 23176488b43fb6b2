"""The command line that ffmpeg is given."""

from itertools import pairwise

import pytest

from transcoder.core.media.streams import Container, Medium, Stream
from transcoder.core.output.ffmpeg_command import RemuxOptions, remux_command
from transcoder.core.output.ffmpeg_input import FfmpegInput
from transcoder.core.request.output_format import OutputFormat, VideoMode

VIDEO = Stream(Medium.VIDEO, "h264", 0x100, 1.4)
AUDIO = Stream(Medium.AUDIO, "aac", 0x101, 1.4)
UP_TO_THE_NEXT = ("-bsf:v", "setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_DTS\\,DTS)\\,NEXT_DTS-DTS\\,DURATION)")


def test_allows_only_pipes_before_each_input() -> None:
    words = remux_command("ffmpeg", [FfmpegInput(7, Container.MPEGTS, (VIDEO,)), FfmpegInput(9, Container.FMP4, (AUDIO,))], RemuxOptions())
    inputs = [index for index, word in enumerate(words) if word == "-i"]
    assert [words[index + 1] for index in inputs] == ["pipe:7", "pipe:9"]
    starts = [0, *inputs]
    for start, end in pairwise(starts):
        assert ("-protocol_whitelist", "pipe") in pairwise(words[start:end])


@pytest.mark.parametrize(
    ("container", "video_codec", "audio_codec", "joined", "pairs"),
    [
        pytest.param(Container.MPEGTS, "h264", "aac", False, {("-bsf:a", "aac_adtstoasc"), UP_TO_THE_NEXT}, id="AAC out of TS"),
        pytest.param(Container.MPEGTS, "h264", "ac3", True, {UP_TO_THE_NEXT}, id="on AC-3 that filter would be fatal"),
        pytest.param(Container.FMP4, "h264", "aac", False, {("-video_track_timescale", "90000")}, id="fMP4 in 90 kHz"),
        pytest.param(
            Container.FMP4,
            "h264",
            "aac",
            True,
            {("-video_track_timescale", "90000"), ("-bsf:v", "h264_mp4toannexb")},
            id="parameter sets in band",
        ),
        pytest.param(Container.FMP4, "hevc", "mp3", False, {("-tag:v", "hvc1"), ("-video_track_timescale", "90000")}, id="HEVC as it is"),
        pytest.param(Container.MPEGTS, "hevc", "mp3", False, {("-tag:v", "hev1"), UP_TO_THE_NEXT}, id="HEVC with sets in band"),
    ],
)
def test_adds_the_options_that_a_codec_needs(
    container: Container,
    video_codec: str,
    audio_codec: str,
    joined: bool,  # noqa: FBT001  # a column
    pairs: set[tuple[str, str]],
) -> None:
    streams = (Stream(Medium.VIDEO, video_codec, 1, 0.0), Stream(Medium.AUDIO, audio_codec, 2, 0.0))
    words = remux_command("ffmpeg", [FfmpegInput(3, container, streams)], RemuxOptions(joined=joined))
    special = {pair for pair in pairwise(words) if pair[0] in {"-bsf:a", "-bsf:v", "-tag:v", "-video_track_timescale"}}
    assert special == pairs


@pytest.mark.parametrize(
    ("begun_within", "is_headless", "probed"),
    [
        pytest.param(100_000, False, 5_100_000, id="a frame of each stream after the beginning of the last one"),
        pytest.param(None, False, 33_554_432, id="a stream begins later than in the bytes that were read"),
        pytest.param(100_000, True, 33_554_432, id="the parameter sets come later"),
        pytest.param(33_000_000, False, 33_554_432, id="at most as much as where nothing is known"),
    ],
)
def test_lets_ffmpeg_keep_no_more_of_a_transport_stream_than_it_needs_to_know_its_streams(
    begun_within: int | None,
    is_headless: bool,  # noqa: FBT001  # a column
    probed: int,
) -> None:
    video = VIDEO._replace(is_headless=is_headless)
    words = remux_command("ffmpeg", [FfmpegInput(3, Container.MPEGTS, (video, AUDIO), begun_within)], RemuxOptions())
    assert ("-probesize", str(probed)) in pairwise(words)


@pytest.mark.parametrize(
    ("codec", "channels", "layout"), [("aac", 3, "3.0"), ("aac", 4, "4.0"), ("ac3", 5, "5.0"), ("opus", 4, "quad"), ("aac", 6, "5.1")]
)
def test_names_the_channels_of_audio_that_is_encoded(codec: str, channels: int, layout: str) -> None:
    """Of three channels ffmpeg's default has no centre, for which AAC has no configuration."""
    joined_to = Stream(Medium.AUDIO, codec, 0x101, 1.4, 48_000, channels)
    later = FfmpegInput(3, Container.MPEGTS, (Stream(Medium.AUDIO, codec, 0x101, 1.4, 48_000, 2),))
    words = remux_command("ffmpeg", [later], RemuxOptions(OutputFormat().after(joined_to)))
    assert ("-channel_layout", layout) in pairwise(words)


@pytest.mark.parametrize("joined", [False, True])
def test_video_that_is_encoded_keeps_the_time_of_each_frame(*, joined: bool) -> None:
    """What else ffmpeg is told: a quality that is not to be told from the source, in half the time of the default."""
    source = FfmpegInput(3, Container.MPEGTS, (VIDEO._replace(codec="hevc"), AUDIO))
    words = remux_command("ffmpeg", [source], RemuxOptions(OutputFormat(video_mode=VideoMode.H264), joined=joined))
    times = {("-fps_mode", "passthrough"), ("-enc_time_base", "1:90000"), ("-video_track_timescale", "90000")}
    quality = {("-c:v", "libx264"), ("-preset", "veryfast"), ("-crf", "20"), ("-pix_fmt", "yuv420p"), ("-g", "100"), ("-c:a", "copy")}
    assert times | quality <= set(pairwise(words))
    assert (("-bsf:v", "dump_extra") in pairwise(words)) is joined
