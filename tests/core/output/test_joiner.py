import io
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcoder.core.media.streams import Medium
from transcoder.core.output.boxes import Box, Splitter
from transcoder.core.output.fragment import Run, read_fragment
from transcoder.core.output.header import Lengths, read_header
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.verifier import Verifier, Whole
from transcoder.core.output.written import PeriodCount
from transcoder.errors import TranscodeError, TranscoderError, UnsupportedSourceError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
JOINABLE = [
    *("-c", "copy", "-avoid_negative_ts", "disabled", "-use_editlist", "0", "-frag_duration", "1000000"),
    *("-movflags", "frag_keyframe+delay_moov+default_base_moof+frag_discont", "-f", "mp4", "pipe:1"),
]
HALF_FRAME = 0.0107
STEREO_SILENCE, MONO_SILENCE = bytes.fromhex("210049900219002380"), bytes.fromhex("00c800802380")


@dataclass(frozen=True)
class Source:
    """What a period is made of."""

    start: float
    rate: int = 25
    video: float = 4
    audio: float = 4
    delay: int = 2
    codec: str = "aac"
    channels: int = 2
    sample_rate: int = 48_000
    drop: str = ""
    late: tuple[float, float] = (0, 0)
    """By how much the picture begins late, and by how much the sound."""
    size: str = "160x90"


A = Source(start=1.4, video=4, audio=4, delay=2)
B = Source(start=10, rate=30, video=3.533, audio=3.433, delay=0)
C = Source(start=40_000, video=3, audio=3.3, delay=3)
D = Source(start=2.8, video=4, audio=4, delay=2)


def run(*words: str) -> bytes:
    return subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=True, capture_output=True).stdout


def transport_stream(source: Source, path: Path) -> Path:
    number = round(source.start * 10)  # no packet of one source is in another
    inputs: list[str] = []
    if source.video:
        inputs += [
            "-itsoffset",
            str(source.late[0]),
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=s={source.size}:r={source.rate}:d={source.video},hue=h={number % 360}",
        ]
    if source.audio:
        inputs += [
            "-itsoffset",
            str(source.late[1]),
            "-f",
            "lavfi",
            "-i",
            f"anoisesrc=r={source.sample_rate}:d={source.audio}:a=0.1:seed={number}",
        ]
    x264 = f"bframes={source.delay}:b-adapt=0:b-pyramid=normal:keyint={source.rate}:scenecut=0"
    picture = ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", x264, "-pix_fmt", "yuv420p"]
    sound = ["-c:a", source.codec, "-ac", str(source.channels), "-b:a", "96k"]
    end = ["-output_ts_offset", str(source.start), "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", str(path)]
    run(*inputs, *(picture if source.video else []), *(sound if source.audio else []), *end)
    return path


@pytest.fixture(scope="session")
def period(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Source], bytes]:
    """Make what one ffmpeg writes for a source, once."""
    folder = tmp_path_factory.mktemp("periods")
    made: dict[Source, bytes] = {}

    def make(source: Source) -> bytes:
        if source not in made:
            path = transport_stream(source, folder / f"{len(made)}.ts")
            filters = ["aac_adtstoasc"] * (source.codec == "aac") + [f"noise=drop='{source.drop}'"] * bool(source.drop)
            made[source] = run(
                *("-copyts", "-f", "mpegts", "-i", str(path)),
                *(["-bsf:a", ",".join(filters)] if filters and source.audio else []),
                *JOINABLE,
            )
        return made[source]

    return make


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def join(
    periods: Iterable[bytes], *, seconds: float = 4.1, declared: bool = True, size: int = 10_000
) -> tuple[bytes, list[PeriodCount], Joiner]:
    joiner = Joiner(Lengths(seconds, {}))
    film, counts, left = bytearray(), [], list(periods)
    while left:
        data = left.pop(0)
        joiner.begin(last=not (left and declared))
        for piece in cut(data, size):
            film += b"".join(joiner.feed(piece))
        rest, count = joiner.end_period()
        film += b"".join(rest)
        counts.append(count)
    film += joiner.finish()
    assert joiner.bytes_out == len(film)
    return bytes(film), counts, joiner


def verify(film: bytes, *, tolerance: float | None = None, size: int = 5_000) -> Whole:
    verifier = Verifier(tolerance=tolerance)
    for piece in cut(film, size):
        verifier.feed(piece)
    return verifier.end()


@dataclass(frozen=True)
class Packet:
    pts: Fraction
    dts: Fraction
    duration: Fraction
    data: bytes


def packets(film: bytes, kind: str) -> list[Packet]:
    with av.open(io.BytesIO(film), "r") as container:
        (stream,) = [one for one in container.streams if one.type == kind]
        found = []
        for one in container.demux(stream):
            if one.pts is not None and one.dts is not None and one.duration and one.time_base:
                base = one.time_base
                found.append(Packet(one.pts * base, one.dts * base, one.duration * base, bytes(one)))
        return found


def decoded(film: bytes, kind: str) -> int:
    with av.open(io.BytesIO(film), "r") as container:
        (stream,) = [one for one in container.streams if one.type == kind]
        stream.codec_context.options = {"err_detect": "explode"}
        return sum(len(packet.decode()) for packet in container.demux(stream))


def assert_contiguous(found: list[Packet]) -> None:
    assert all(before.dts + before.duration == after.dts for before, after in pairwise(found))
    assert all(packet.duration > 0 and packet.pts >= packet.dts for packet in found)


def shifts(film: bytes, source: bytes, kind: str) -> list[float]:
    """By how much each of a source's packets that got into the film lies later there."""
    there = {packet.data: packet.pts for packet in packets(source, kind)}
    here = packets(film, kind)
    # An encoder's first frame, still without any sound in it, is the same in every period
    times = Counter(packet.data for packet in here)
    return [float(packet.pts - there[packet.data]) for packet in here if packet.data in there and times[packet.data] == 1]


def sound_runs(film: bytes) -> list[Run]:
    boxes = [event for event in Splitter().feed(film) if isinstance(event, Box)]
    header = next(read_header(box.data) for box in boxes if box.kind == b"moov")
    fragments = [read_fragment(box.data, header) for box in boxes if box.kind == b"moof"]
    return [found for fragment in fragments if (found := fragment.run(Medium.AUDIO))]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(A, id="sound first"),
        pytest.param(C, id="late start"),
        pytest.param(Source(start=95_440, sample_rate=44_100), id="a wrap of the timestamps inside, 44.1 kHz"),
        pytest.param(Source(start=10, codec="ac3"), id="AC-3"),
    ],
)
def test_one_period_begins_at_zero_and_keeps_its_sound_in_time(period: Callable[[Source], bytes], source: Source) -> None:
    made = period(source)
    film, _, _ = join([made])
    assert min(packet.pts for kind in ("video", "audio") for packet in packets(film, kind)) == 0
    video, audio = shifts(film, made, "video"), shifts(film, made, "audio")
    assert max(video) - min(video) < 1e-6
    assert abs(video[0] - audio[0]) < 0.00003
    assert decoded(film, "video") == source.video * source.rate
    assert_contiguous(packets(film, "video"))


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_film_of_one_medium(period: Callable[[Source], bytes], kind: str) -> None:
    source = Source(start=7, audio=4 if kind == "audio" else 0, video=4 if kind == "video" else 0)
    film, counts, joiner = join([period(source), period(source)])
    found = packets(film, kind)
    assert found[0].pts == 0
    assert_contiguous(found)
    assert len(found) == sum(count.samples[Medium(kind)] for count in counts)
    assert verify(film).sent == pytest.approx(joiner.seconds[Medium(kind)], abs=1e-6)


@pytest.mark.parametrize("declared", [True, False])
def test_periods_are_joined_without_gap_or_drift(period: Callable[[Source], bytes], *, declared: bool) -> None:
    made = [period(source) for source in (A, B, C, D)]
    film, counts, _ = join(made, declared=declared)
    video, audio = packets(film, "video"), packets(film, "audio")
    assert_contiguous(video)
    assert_contiguous(audio)
    assert len({packet.pts for packet in video}) == len(video) == sum(count.samples[Medium.VIDEO] for count in counts)
    assert decoded(film, "video") == len(video)
    assert decoded(film, "audio") == len(audio)
    for source in made:
        picture = shifts(film, source, "video")
        assert len(picture) == len(packets(source, "video"))
        assert max(picture) - min(picture) < 1e-6
        assert max(abs(shift - picture[0]) for shift in shifts(film, source, "audio")) <= HALF_FRAME


def test_errors_of_many_joins_do_not_add_up(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=1 + index, video=1.52, audio=1.5 - index / 100)) for index in range(8)]
    film, _, _ = join(made)
    for source in made:
        picture, sound = shifts(film, source, "video"), shifts(film, source, "audio")
        assert max(abs(shift - picture[0]) for shift in sound) <= HALF_FRAME


def test_holes_between_periods_are_silence_and_overlaps_are_cut(period: Callable[[Source], bytes]) -> None:
    film, counts, joiner = join([period(B), period(B), period(C), period(B)])
    audio = packets(film, "audio")
    silent = sum(packet.data == STEREO_SILENCE for packet in audio)
    assert 4 <= silent <= 12
    assert len(audio) - silent <= sum(count.samples[Medium.AUDIO] for count in counts)
    assert abs(joiner.seconds[Medium.AUDIO] - joiner.seconds[Medium.VIDEO]) < 0.2


@pytest.mark.parametrize("declared", [True, False])
def test_sound_before_the_first_picture_of_a_later_period_is_cut(period: Callable[[Source], bytes], *, declared: bool) -> None:
    early = period(Source(start=12, late=(1.5, 0), video=2.5, audio=4))
    film, _, _ = join([period(A), early], declared=declared)
    assert_contiguous(packets(film, "audio"))
    sound, picture = shifts(film, early, "audio"), shifts(film, early, "video")
    assert max(abs(shift - picture[0]) for shift in sound) <= HALF_FRAME
    assert 65 <= len(packets(early, "audio")) - len(sound) <= 75
    verify(film)


def test_sound_that_begins_late_in_a_later_period_is_preceded_by_silence(period: Callable[[Source], bytes]) -> None:
    late = period(Source(start=12, late=(0, 1.5), video=4, audio=2.5))
    film, _, _ = join([period(A), late])
    audio = packets(film, "audio")
    assert_contiguous(audio)
    sound, picture = shifts(film, late, "audio"), shifts(film, late, "video")
    assert max(abs(shift - picture[0]) for shift in sound) <= HALF_FRAME
    assert 65 <= sum(packet.data == STEREO_SILENCE for packet in audio) <= 75


def test_a_later_period_may_have_another_resolution(period: Callable[[Source], bytes]) -> None:
    film, counts, _ = join([period(A), period(Source(start=22, size="320x180")), period(D)])
    assert decoded(film, "video") == sum(count.samples[Medium.VIDEO] for count in counts)


def test_sound_that_runs_a_little_over_is_cut_at_the_period_it_belongs_to(period: Callable[[Source], bytes]) -> None:
    over, after = period(Source(start=3, video=2, audio=2.03)), period(B)
    film, _, _ = join([over, after])
    # The encoder's first frame lies before its first picture, and falls to the first period's own sound
    assert len(shifts(film, after, "audio")) >= len(packets(after, "audio")) - 1
    assert len(shifts(film, over, "audio")) < len(packets(over, "audio"))


@pytest.mark.parametrize("channels", [2, 1])
def test_a_hole_inside_a_period_stays_as_long_as_it_is(period: Callable[[Source], bytes], channels: int) -> None:
    source = period(Source(start=5, channels=channels, drop="between(n,50,69)"))
    film, counts, _ = join([source])
    assert len(packets(film, "audio")) == counts[0].samples[Medium.AUDIO]
    sound, picture = shifts(film, source, "audio"), shifts(film, source, "video")
    assert max(abs(shift - picture[0]) for shift in sound) < 0.00003
    verify(film)


def test_a_lost_frame_or_two_move_nothing(period: Callable[[Source], bytes]) -> None:
    source = period(Source(start=6, drop="between(n,50,51)"))
    film, counts, _ = join([source])
    audio = packets(film, "audio")
    assert len(audio) == counts[0].samples[Medium.AUDIO]
    sound, picture = shifts(film, source, "audio"), shifts(film, source, "video")
    assert max(abs(shift - picture[0]) for shift in sound) < 0.00003


def test_a_hole_in_sound_without_a_known_silence_is_bridged(period: Callable[[Source], bytes]) -> None:
    source = Source(start=5, video=2, audio=1.8, codec="ac3")
    film, _, _ = join([period(source), period(source)])
    runs = sound_runs(film)
    # Read from the file itself: PyAV shows an AC-3 frame's own duration
    assert all(before.decode_time + sum(before.durations) == after.decode_time for before, after in pairwise(runs))
    assert max(max(one.durations) for one in runs) > 0.15 * 48_000
    assert decoded(film, "audio") == len(packets(film, "audio"))
    verify(film)


def test_timestamps_on_two_sides_of_a_wrap_are_brought_together(period: Callable[[Source], bytes]) -> None:
    made = bytearray(period(A))
    at = 0
    # Every tfdt of the sound 2^33 ticks earlier, as if the picture had been seen before the wrap and the sound after it
    while (at := made.find(b"tfhd", at + 1)) >= 0:
        (track,) = struct.unpack_from(">I", made, at + 8)
        time_at = made.index(b"tfdt", at) + 8
        if track == 2:
            (time,) = struct.unpack_from(">q", made, time_at)
            struct.pack_into(">q", made, time_at, time - round(2**33 * 48_000 / 90_000))
    straight, wrapped = join([period(A)])[0], join([bytes(made)])[0]
    assert [packet.pts for packet in packets(straight, "video")] == [packet.pts for packet in packets(wrapped, "video")]
    assert abs(packets(straight, "audio")[0].pts - packets(wrapped, "audio")[0].pts) < 0.00003


@pytest.mark.parametrize("seconds", [5.999, 3_600.001, 50_000, 400_000])
def test_every_reader_is_told_the_length_at_once(period: Callable[[Source], bytes], seconds: float) -> None:
    joiner = Joiner(Lengths(seconds, {Medium.VIDEO: seconds - 0.0214, Medium.AUDIO: seconds}))
    joiner.begin()
    head = b"".join(part for piece in cut(period(A)[:100_000], 7_000) for part in joiner.feed(piece))
    with av.open(io.BytesIO(head), "r") as container:
        assert container.duration is not None
        assert seconds <= container.duration / 1_000_000 + 1e-6 < seconds + 0.001
    for name, wide, at in ((b"mvhd", seconds * 90_000 > 2**32, 12), (b"tkhd", seconds * 90_000 > 2**32, 16)):
        place = head.index(name) + 4
        form, start = (">Q", at + 12) if wide else (">I", at + 4)
        assert head[place] == wide
        assert struct.unpack_from(form, head, place + start)[0] / 90_000 == pytest.approx(seconds, abs=0.00002)
    assert struct.unpack_from(">Q", head, head.index(b"mehd") + 8)[0] / 90_000 == pytest.approx(seconds, abs=0.00002)


@pytest.mark.parametrize("late", [(0.3, 0.0), (0.0, 0.4)])
def test_a_track_that_begins_late_does_so_in_the_film(period: Callable[[Source], bytes], late: tuple[float, float]) -> None:
    source = period(Source(start=33, late=late, video=3, audio=3, delay=3))
    _, _, joiner = join([source])
    begins = {kind: min(packet.pts for packet in packets(source, kind)) for kind in ("video", "audio")}
    begin = min(begins.values())
    ends = joiner.seconds
    lengths = Lengths(max(ends.values()), {Medium(kind): ends[Medium(kind)] - float(at - begin) for kind, at in begins.items()})
    joiner = Joiner(lengths)
    joiner.begin()
    film = b"".join(joiner.feed(source)) + b"".join(joiner.end_period()[0]) + joiner.finish()
    for kind, at in begins.items():
        assert abs(min(packet.pts for packet in packets(film, kind)) - (at - begin)) < 0.00003
    for read in (film, film[:60_000]):
        with av.open(io.BytesIO(read), "r") as container:
            assert container.duration == pytest.approx(max(ends.values()) * 1_000_000, abs=2_000)
    assert verify(film, tolerance=0.001).sent == pytest.approx(max(ends.values()), abs=0.0001)


def test_counts_are_what_ffmpeg_wrote(period: Callable[[Source], bytes]) -> None:
    made = [period(A), period(C)]
    _, counts, _ = join(made)
    for source, count in zip(made, counts, strict=True):
        assert count.samples == {Medium(kind): len(packets(source, kind)) for kind in ("video", "audio")}


def test_the_index_leads_to_each_fragment(period: Callable[[Source], bytes]) -> None:
    film, _, _ = join([period(A), period(B)])
    length = int.from_bytes(film[-4:])
    mfra = film[-length:]
    assert mfra[4:8] == b"mfra"
    at = mfra.index(b"tfra") + 4
    _, _, count = struct.unpack_from(">III", mfra, at + 4)
    entries = [struct.unpack_from(">QQBBB", mfra, at + 16 + 19 * index) for index in range(count)]
    assert count >= 6
    assert all(film[place + 4 : place + 8] == b"moof" for _, place, _, _, _ in entries)
    assert all(before[0] < after[0] for before, after in pairwise(entries))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 230_000), max_size=12), min_size=2, max_size=2))
def test_same_bytes_out_however_they_come_in(period: Callable[[Source], bytes], cuts: list[list[int]]) -> None:
    made = [period(B), period(C)]
    joiner = Joiner(Lengths(4.1, {}))
    film = bytearray()
    for index, (data, places) in enumerate(zip(made, cuts, strict=True)):
        joiner.begin(last=bool(index))
        for start, end in pairwise([0, *sorted(min(place, len(data)) for place in places), len(data)]):
            film += b"".join(joiner.feed(data[start:end]))
        film += b"".join(joiner.end_period()[0])
    assert bytes(film) + joiner.finish() == join(made)[0]


def test_byte_by_byte_is_the_same(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=3, video=1, audio=1))]
    assert join(made, size=1)[0] == join(made)[0]


@pytest.mark.parametrize("part", [0.0, 0.0005, 0.004, 0.1, 0.3, 0.5, 0.77, 0.95])
def test_output_that_stops_early_is_a_failure(period: Callable[[Source], bytes], part: float) -> None:
    made = period(A)
    with pytest.raises(TranscodeError):
        join([made[: int(len(made) * part)]])


def test_a_fragment_without_its_media_is_a_failure(period: Callable[[Source], bytes]) -> None:
    made = period(A)
    with pytest.raises(TranscodeError, match="before its media"):
        join([made[: made.rindex(b"mdat") - 4]])


def test_a_header_without_media_is_a_failure(period: Callable[[Source], bytes]) -> None:
    made = period(A)
    with pytest.raises(TranscodeError, match="before its media"):
        join([made[: made.index(b"moof") - 4]])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2_600), st.integers(0, 255)), min_size=1, max_size=3))
def test_broken_output_is_a_failure_with_a_name(period: Callable[[Source], bytes], changes: list[tuple[int, int]]) -> None:
    made = bytearray(period(B))
    for at, value in changes:
        made[at] = value
    try:
        film, _, _ = join([bytes(made), period(B)])
    except TranscoderError:
        return
    assert film


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        pytest.param(Source(start=1, audio=0), "loses or gains", id="no sound"),
        pytest.param(Source(start=1, channels=1), "changes", id="mono"),
        pytest.param(Source(start=1, sample_rate=44_100), "changes", id="another rate"),
        pytest.param(Source(start=1, codec="ac3"), "changes", id="another codec"),
    ],
)
def test_periods_that_do_not_fit_are_refused(period: Callable[[Source], bytes], second: Source, reason: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=reason):
        join([period(A), period(second)])


def test_only_a_period_with_a_successor_holds_its_newest_fragment_back(period: Callable[[Source], bytes]) -> None:
    sent = {}
    for last in (True, False):
        joiner = Joiner(Lengths(4.1, {}))
        joiner.begin(last=last)
        sent[last] = sum(len(part) for part in joiner.feed(period(A)[:30_000]))
        assert joiner.has_output
    assert 500 < sent[False] < 2_000
    assert sent[True] > 29_000


def test_a_fragment_too_long_to_be_held_back_passes(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=3, video=2, audio=2.03)), period(B)]
    film = bytearray()
    joiner = Joiner(Lengths(4.1, {}), max_held=1_000)
    for data in made:
        joiner.begin(last=False)
        film += b"".join(joiner.feed(data))
        rest, _ = joiner.end_period()
        assert not rest
    film += joiner.finish()
    assert_contiguous(packets(bytes(film), "audio"))
    assert len(shifts(bytes(film), made[0], "audio")) == len(packets(made[0], "audio"))
    assert len(shifts(bytes(film), made[1], "audio")) < len(packets(made[1], "audio")) - 1
    verify(bytes(film))


def test_steps_out_of_order_are_bugs(period: Callable[[Source], bytes]) -> None:
    joiner = Joiner(Lengths(4.1, {}))
    with pytest.raises(RuntimeError):
        joiner.feed(b"")
    with pytest.raises(RuntimeError):
        joiner.end_period()
    with pytest.raises(RuntimeError):
        joiner.finish()
    assert not joiner.has_output
    assert joiner.seconds == {}
    joiner.begin()
    joiner.feed(period(A))
    with pytest.raises(RuntimeError):
        joiner.begin()
    with pytest.raises(RuntimeError):
        joiner.finish()


def test_a_whole_film_is_found_whole(period: Callable[[Source], bytes]) -> None:
    film, _, joiner = join([period(A)], seconds=4.05)
    whole = verify(film, tolerance=0.1)
    assert whole.length == len(film)
    assert whole.announced == pytest.approx(4.05, abs=0.0001)
    assert whole.sent == pytest.approx(max(joiner.seconds.values()), abs=0.0001)
    assert whole.samples[Medium.VIDEO] == 100


def test_a_wrong_promise_is_found(period: Callable[[Source], bytes]) -> None:
    with pytest.raises(TranscodeError, match="promises"):
        verify(join([period(A)], seconds=8)[0], tolerance=0.1)


def test_a_film_that_stops_anywhere_is_not_whole(period: Callable[[Source], bytes]) -> None:
    film, _, _ = join([period(A)])
    index = len(film) - int.from_bytes(film[-4:])
    last = film.rindex(b"moof") - 4
    for end in (0, 10, 500, 1_500, 60_000, last, last + 100, index - 1, index, index + 9, len(film) - 1):
        with pytest.raises(TranscodeError):
            verify(film[:end])


def test_bytes_lost_or_put_in_are_found(period: Callable[[Source], bytes]) -> None:
    film, _, _ = join([period(A)])
    fragment, following = (film.index(b"moof", start) - 4 for start in (20_000, 80_000))
    for broken in (film[:50_000] + film[50_001:], film[:50_000] + b"x" + film[50_000:], film[:fragment] + film[following:], film + film):
        with pytest.raises(TranscodeError):
            verify(broken)
