"""Which sources have a plain layout, and in how many pieces the media of a map may lie: each takes a request."""

from collections.abc import Callable

import pytest

from transcoder.core.hls.plan import Init, Key, Period, Plan, Segment, Track
from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.track_samples import Place
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.output.announcement import announce
from transcoder.core.output.plain_layout import MAX_PIECES, check_formats, check_heads, check_pieces, check_plan, check_samples
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import COPY_EVERYTHING, Clip, FileFormat, OutputFormat, VideoMode
from transcoder.errors import PlainLayoutError

FAR = 100_000


def scattered(count: int, *, size: int, distance: int = FAR) -> ByteMap:
    """Return a map of so many extents, each of which begins so far after the beginning of the one before it."""
    return ByteMap(b"head", (Extent(Place(0, number * distance), size) for number in range(count)))


def test_a_few_pieces_may_have_any_size_and_many_of_usual_size_are_no_problem() -> None:
    check_pieces(scattered(MAX_PIECES, size=1))
    check_pieces(scattered(10 * MAX_PIECES, size=2048))


def test_what_lies_close_together_is_one_piece() -> None:
    check_pieces(scattered(10 * MAX_PIECES, size=100, distance=200))


def test_many_small_pieces_are_refused() -> None:
    for count, size in ((MAX_PIECES + 1, 1), (2 * MAX_PIECES, 1000)):
        with pytest.raises(PlainLayoutError, match=f"more than {MAX_PIECES} pieces of less than 2048 bytes on average"):
            check_pieces(scattered(count, size=size))


INIT = Init("https://a.example/init.mp4", None, None)
KEY = Key("https://a.example/key", bytes(16))
SEGMENT = Segment("https://a.example/1.m4s", 6.0, 0.0, None, None, INIT)
VIDEO = Stream(Medium.VIDEO, "h264", 1, 0.0)
AUDIO = Stream(Medium.AUDIO, "aac", 2, 0.0, 48_000, 2)


def plan(*segments: Segment, periods: int = 1, output_format: OutputFormat = COPY_EVERYTHING) -> Plan:
    """Return a plan of two tracks with these segments in each of so many periods."""
    tracks = tuple(Track(kind, segments, 6.0 * len(segments)) for kind in (TrackKind.VIDEO, TrackKind.AUDIO))
    return Plan((Period(tracks),) * periods, 6.0, None, output_format)


@pytest.mark.parametrize(
    "url", ["https://a.example/1.m4s", "http://a.example/1.m4s", "HTTPS://a.example/1.m4s"], ids=["HTTPS", "HTTP", "capitals"]
)
@pytest.mark.parametrize(
    "output_format",
    [COPY_EVERYTHING, OutputFormat(FileFormat.M4A), OutputFormat(clip=Clip(1.0, 2.0))],
    ids=["everything", "M4A", "a clip"],
)
def test_fragments_in_the_clear_on_one_timeline_have_a_plain_layout(url: str, output_format: OutputFormat) -> None:
    check_plan(plan(SEGMENT, SEGMENT._replace(url=url), output_format=output_format), max_heads=4)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(plan(SEGMENT, output_format=OutputFormat(FileFormat.MP3)), "an MP3 is not one", id="MP3"),
        pytest.param(plan(SEGMENT, output_format=OutputFormat(clip=Clip(1.0, 2.0, exact=True))), "exact clip", id="an exact clip"),
        pytest.param(plan(SEGMENT, periods=2), "several parts", id="two periods"),
        pytest.param(plan(SEGMENT, periods=0), "several parts", id="none"),
        pytest.param(plan(SEGMENT, SEGMENT._replace(init=None)), "not fragmented MP4", id="transport streams"),
        pytest.param(plan(SEGMENT, SEGMENT._replace(key=KEY)), "encrypted", id="an encrypted segment"),
        pytest.param(plan(SEGMENT, SEGMENT._replace(init=INIT._replace(key=KEY))), "encrypted", id="an encrypted initialization section"),
        pytest.param(plan(SEGMENT, SEGMENT._replace(url="file:///a.m4s")), "not on an HTTP server", id="a file"),
        pytest.param(plan(SEGMENT, SEGMENT._replace(url="data:,http://a")), "not on an HTTP server", id="a data URL"),
        pytest.param(plan(*[SEGMENT] * 3), "more than 5 heads", id="six segments"),
    ],
)
def test_a_plan_without_a_plain_layout_says_why(found: Plan, reason: str) -> None:
    with pytest.raises(PlainLayoutError, match=reason):
        check_plan(found, max_heads=5)


@pytest.mark.parametrize(("check", "limit"), [(lambda count: check_heads(count, max_heads=7), 7), (check_samples, 1_000_000)])
def test_heads_and_samples_may_be_as_many_as_their_limit(check: Callable[[int], None], limit: int) -> None:
    check(limit)
    with pytest.raises(PlainLayoutError, match=f"more than {limit:,}"):
        check(limit + 1)


def probed(*streams: Stream) -> ProbedTrack:
    return ProbedTrack(Track(TrackKind.BOTH, (SEGMENT,), 6.0), Probe(Container.FMP4, streams), {})


def check(tracks: list[ProbedTrack], output_format: OutputFormat = COPY_EVERYTHING) -> None:
    check_formats(plan(SEGMENT, output_format=output_format), tracks, announce([tracks], estimated_bytes=None))


def test_what_is_copied_and_there_from_the_beginning_has_a_plain_layout() -> None:
    for tracks in ([probed(VIDEO, AUDIO)], [probed(VIDEO), probed(AUDIO)], [probed(AUDIO)]):
        check(tracks)


@pytest.mark.parametrize(
    ("tracks", "output_format", "reason"),
    [
        pytest.param([probed(VIDEO, AUDIO._replace(codec="mp2"))], COPY_EVERYTHING, "re-encoded", id="MP4 cannot hold it"),
        pytest.param([probed(VIDEO)], OutputFormat(video_mode=VideoMode.H264), "re-encoded", id="the caller wants another codec"),
        pytest.param([probed(VIDEO, AUDIO._replace(start=None))], COPY_EVERYTHING, "not in its first segment", id="the audio is late"),
        pytest.param([probed(VIDEO, AUDIO), probed(AUDIO)], COPY_EVERYTHING, "several streams of one kind", id="audio twice"),
    ],
)
def test_streams_without_a_plain_layout_say_why(tracks: list[ProbedTrack], output_format: OutputFormat, reason: str) -> None:
    if output_format.video_mode is VideoMode.H264:
        tracks = [tracks[0]._replace(probe=Probe(Container.FMP4, (VIDEO._replace(codec="hevc"),)))]
    with pytest.raises(PlainLayoutError, match=reason):
        check(tracks, output_format)


def test_what_another_part_needs_re_encoded_is_no_plain_layout() -> None:
    announcement = announce([[probed(VIDEO, AUDIO)]], estimated_bytes=None)._replace(reencoded=("aac",))
    with pytest.raises(PlainLayoutError, match="re-encoded"):
        check_formats(plan(SEGMENT), [probed(VIDEO, AUDIO)], announcement)


@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
def test_two_kibibytes_on_average_allow_a_piece_more(more: int, *, is_refused: bool) -> None:
    count = 2 * MAX_PIECES
    size = 2048 * (count - MAX_PIECES) // count - more
    pieces = [Extent(Place(0, number * FAR), size) for number in range(count)]
    media = ByteMap(b"", pieces)
    assert media.length == count * size
    if is_refused:
        with pytest.raises(PlainLayoutError, match=f"more than {MAX_PIECES} pieces"):
            check_pieces(media)
    else:
        check_pieces(media)
