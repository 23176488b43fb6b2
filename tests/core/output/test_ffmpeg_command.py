"""The command line that ffmpeg is given."""

import re
from itertools import pairwise

import pytest

from transcoder.core.media.streams import Container, Medium, Stream
from transcoder.core.output.ffmpeg_command import RemuxOptions, Silence, remux_command
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


FRAGMENTED = {
    *("-avoid_negative_ts disabled", "-frag_duration 1000000", "-use_editlist 0"),
    "-movflags frag_keyframe+delay_moov+default_base_moof+frag_discont",
}
COPY = {"-f mp4", "-c:v copy", "-c:a copy", "-copyinkf", "-map_metadata -1", "-strict unofficial"} | FRAGMENTED
IN_90_KHZ = {"-video_track_timescale 90000"}
IN_BAND = {"h264": "-bsf:v h264_mp4toannexb", "hevc": "-bsf:v hevc_mp4toannexb"}
ENCODED = {
    *("-c:v libx264", "-preset veryfast", "-crf 20", "-pix_fmt yuv420p", "-g 100"),
    *("-fps_mode passthrough", "-enc_time_base 1:90000", "-video_track_timescale 90000"),
}


def options_of(container: Container, stream: Stream, remux: RemuxOptions) -> set[str]:
    """Return the options of the output, each with its value."""
    words = remux_command("ffmpeg", [FfmpegInput(3, container, (stream,))], remux)
    after_streams = len(words) - words[::-1].index("-map") + 1
    return set(re.findall(r"-[a-z]\S*(?: (?:-1\b|(?!-)\S+))?", " ".join(words[after_streams : words.index("pipe:1")])))


@pytest.mark.parametrize("container", [Container.MPEGTS, Container.FMP4, Container.MP4])
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("lacks", [False, True], ids=["sets in the header", "sets in the samples alone"])
def test_video_that_is_copied_has_these_options_and_no_others(container: Container, codec: str, *, joined: bool, lacks: bool) -> None:
    is_mp4 = container is not Container.MPEGTS
    in_band = is_mp4 and (joined or lacks) and codec in IN_BAND
    expected = COPY | (IN_90_KHZ if is_mp4 else {" ".join(UP_TO_THE_NEXT)}) | ({IN_BAND[codec]} if in_band else set())
    if codec == "hevc":
        expected |= {"-tag:v hvc1" if is_mp4 and not in_band else "-tag:v hev1"}
    stream = VIDEO._replace(codec=codec, lacks_parameter_sets=lacks)
    assert options_of(container, stream, RemuxOptions(joined=joined)) == expected


@pytest.mark.parametrize(
    ("container", "entry", "joined", "tag"),
    [
        pytest.param(Container.FMP4, "dvh1", False, "dvh1", id="Dolby Vision alone"),
        pytest.param(Container.FMP4, "dvh1", True, "dvh1", id="and in several periods"),
        pytest.param(Container.FMP4, "dvhe", False, "hvc1", id="Dolby Vision that others can show"),
        pytest.param(Container.FMP4, "hev1", True, "hev1", id="sets in band"),
        pytest.param(Container.MPEGTS, "", False, "hev1", id="a transport stream"),
    ],
)
def test_hevc_is_named_for_the_players_that_can_show_it(container: Container, entry: str, tag: str, *, joined: bool) -> None:
    stream = VIDEO._replace(codec="hevc", sample_entry=entry)
    assert f"-tag:v {tag}" in options_of(container, stream, RemuxOptions(joined=joined))


@pytest.mark.parametrize("joined", [False, True])
def test_video_that_is_encoded_has_these_options_and_no_others(*, joined: bool) -> None:
    remux = RemuxOptions(OutputFormat(video_mode=VideoMode.H264), joined=joined)
    expected = (COPY - {"-c:v copy"}) | ENCODED | ({"-bsf:v dump_extra"} if joined else set())
    assert options_of(Container.MPEGTS, VIDEO._replace(codec="hevc"), remux) == expected


def test_what_nothing_can_decode_may_be_left_out_of_the_video() -> None:
    found = options_of(Container.MPEGTS, VIDEO._replace(is_headless=True), RemuxOptions())
    assert found == (COPY - {"-copyinkf"}) | {"-copyinkf:a", " ".join(UP_TO_THE_NEXT)}


def test_silence_is_encoded_beside_video_that_is_copied() -> None:
    silence = Silence("aac", 44_100, 1, start=12.5, seconds=3.25)
    words = remux_command("ffmpeg", [FfmpegInput(3, Container.MPEGTS, (VIDEO,))], RemuxOptions(silence=silence))
    assert {("-c:v", "copy"), ("-c:a", "aac"), ("-t", "3.250"), ("-f", "lavfi")} <= set(pairwise(words))
    assert ("-i", "anullsrc=r=44100:cl=mono") in pairwise(words)
    assert "asetpts=PTS+12.500000/TB" in words[words.index("-filter_complex") + 1].replace("\\", "")


def test_streams_are_named_by_their_numbers_and_audio_without_one_is_the_first() -> None:
    inputs = [FfmpegInput(3, Container.MPEGTS, (VIDEO, AUDIO)), FfmpegInput(4, Container.ADTS, (AUDIO._replace(id=0),))]
    words = remux_command("/opt/ffmpeg", inputs, RemuxOptions())
    assert words[0] == "/opt/ffmpeg"
    assert [after for name, after in pairwise(words) if name == "-map"] == ["0:i:0x100", "0:i:0x101", "1:a:0"]


@pytest.mark.parametrize(("known", "probes"), [((True, True), True), ((True, False), False), ((False, False), False)])
def test_ffmpeg_reads_on_until_it_knows_all_streams_if_all_of_them_are_there(known: tuple[bool, bool], *, probes: bool) -> None:
    streams = tuple(each if begun else each._replace(start=None) for each, begun in zip((VIDEO, AUDIO), known, strict=True))
    words = remux_command("ffmpeg", [FfmpegInput(3, Container.MPEGTS, streams)], RemuxOptions())
    assert (("-analyzeduration", "60000000") in pairwise(words)) is probes
    assert ("-probesize" in words) is probes


@pytest.mark.parametrize("begun_within", [0, 28_554_431, 28_554_432, 28_554_433, None])
def test_ffmpeg_probes_at_most_32_mebibytes(begun_within: int | None) -> None:
    source = FfmpegInput(3, Container.MPEGTS, (VIDEO,), begun_within)
    assert source.probe_bytes == (min(begun_within + 5_000_000, 32 * 1024 * 1024) if begun_within is not None else 32 * 1024 * 1024)
