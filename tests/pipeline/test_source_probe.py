"""What is read of a source beside its media: where its audio begins, and where its tracks end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import Serve
from encoded_once import encode
from fuzz.media_pieces import NULL_PACKET
from generated_video import GeneratedVideo, encoder_arguments
from packager import TS_DELAY, Period, media_playlist, pack_fmp4, pack_ts
from packager import Segment as Listed
from peers.fetch_calls import with_fetcher
from peers.origin import Origin, Request, Rule
from peers.program_map_edits import muted, packets_of
from peers.source_files import files_in

from transcoder.core.hls.plan import Plan, Segment, Track
from transcoder.core.media.streams import Medium, TrackKind
from transcoder.core.output.probed_track import LATER_SEGMENTS, ProbedTrack
from transcoder.core.request.parameters import make_job
from transcoder.edge.fetch import Fetcher
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.resolver import Resolver
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import MIB, Settings

FILM = GeneratedVideo(seconds=6, size="160x90", b_frames=0)
SETTINGS = Settings(allow_private=True, retry_seconds=0.01)
T = TypeVar("T")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    (folder / "main.m3u8").write_text(media_playlist([pack_ts(folder, "film", FILM)]))
    return folder


@pytest.fixture
def files(film: Path) -> dict[str, bytes]:
    return files_in(film)


def with_probe(use: Callable[[SourceProbe, Fetcher], Awaitable[T]]) -> T:
    async def probing(fetcher: Fetcher) -> T:
        return await use(SourceProbe(fetcher, KeyStore(fetcher, max_init_bytes=MIB)), fetcher)

    return with_fetcher(probing, SETTINGS)


def probed(url: str) -> ProbedTrack:
    """Return the only track of a source, probed to its end."""

    async def use(probe: SourceProbe, fetcher: Fetcher) -> ProbedTrack:
        ((track,),) = await probe.periods(await plan_of(url, fetcher), {})
        return track

    return with_probe(use)


async def plan_of(url: str, fetcher: Fetcher) -> Plan:
    job, resolver = make_job(url, {}), Resolver(SETTINGS)
    source = await resolver.find(job, fetcher=fetcher)
    return (await resolver.resolve(source, job, fetcher=fetcher)).plan


@pytest.mark.parametrize("kind", [TrackKind.AUDIO, TrackKind.BOTH])
@pytest.mark.parametrize(
    ("having", "expected"),
    [([4], (4, 4)), ([1, 4], (1, 1)), ([2, 3, 4], (2, 2)), ([12], (12, 12)), ([9, 10, 11, 12], (9, 9)), ([9, 20], (9, 20)), ([1], (1, 1))],
)
def test_where_audio_begins_that_comes_and_goes(
    having: Sequence[int], expected: tuple[int, int], kind: TrackKind, files: dict[str, bytes], serve: Serve
) -> None:
    """Each of the first segments is looked at; of later ones that have video, as few as tell where audio that stays begins."""
    loud = files["/film-0.ts"]
    origin = serve({"/loud": loud, "/silent": muted(loud)})
    addresses = [origin.url("/loud" if number in having else "/silent") for number in range(max(having) + 1)]
    segments = tuple(Segment(f"{url}?{number}", 2.0, 2.0 * number, None, None, None) for number, url in enumerate(addresses))
    track = Track(kind, segments, 2.0 * len(segments))
    found = with_probe(lambda probe, _: probe.first_with_audio(track))
    assert found == expected[kind is TrackKind.BOTH]
    looked_at = [int(request.query) for request in origin.requests]
    first = list(range(1, found if kind is TrackKind.AUDIO else min(found, LATER_SEGMENTS + 1)))
    assert looked_at[: len(first)] == first
    if kind is TrackKind.BOTH:
        assert len([number for number in looked_at if number > LATER_SEGMENTS]) <= (max(having) - LATER_SEGMENTS).bit_length()


def cut_ends(origin: Origin, path: str, body: bytes, *, times: int) -> None:
    """Let so many responses for the last bytes of a resource be those of a shorter one."""
    origin.rules[path] = Rule(body=body, times=times, when=lambda request: request.headers.get("range", "").startswith("bytes=-"))


def ends_asked_for(origin: Origin, path: str) -> list[Request]:
    return [request for request in origin.requests_of(path) if request.headers.get("range", "").startswith("bytes=-")]


@pytest.mark.parametrize(("times", "asked"), [(0, 1), (1, 2), (2, 3), (9, 3)])
def test_an_end_that_comes_too_early_is_asked_for_again(times: int, asked: int, files: dict[str, bytes], serve: Serve) -> None:
    """The origin may have sent a part of the segment."""
    origin = serve(files)
    packets = packets_of(files["/film-2.ts"])
    cut_ends(origin, "/film-2.ts", b"".join(packets[: len(packets) // 2]), times=times)
    track = probed(origin.url("/main.m3u8"))
    assert track.main_start is not None
    assert (track.ends[Medium.VIDEO] - track.main_start == pytest.approx(6.0, abs=0.05)) == (times < asked)
    assert len(ends_asked_for(origin, "/film-2.ts")) == asked
    assert track.ends_early == (times >= asked)


@pytest.mark.parametrize(
    ("listed", "late"),
    [
        pytest.param([2.0] * 8, False, id="as long as listed"),
        pytest.param([0.8] * 8, True, id="EXTINF is wrong throughout"),
        pytest.param([2.0] * 7 + [1.0], True, id="EXTINF is wrong about the last segment"),
        pytest.param([0.6, 0.6] + [2.0] * 6, False, id="late by a leap near the beginning"),
        pytest.param([2.0] * 5 + [0.6, 0.6] + [2.0], False, id="late by a leap near the end"),
    ],
)
def test_a_source_lasts_longer_than_its_playlist_says_because_extinf_is_wrong_or_its_timestamps_leap(
    listed: Sequence[float], serve: Serve, tmp_path: Path, *, late: bool
) -> None:
    period = pack_ts(tmp_path, "film", replace(FILM, seconds=16))
    segments = [replace(segment, seconds=seconds) for segment, seconds in zip(period.segments, listed, strict=True)]
    (tmp_path / "main.m3u8").write_text(media_playlist([Period(segments)]))
    track = probed(serve(tmp_path).url("/main.m3u8"))
    assert track.main_start is not None
    assert track.ends[Medium.VIDEO] - track.main_start == pytest.approx(16.0, abs=0.05)
    assert track.is_late == late


@pytest.mark.parametrize("factor", [0.4, 1.0])
def test_the_rest_of_a_last_segment_is_read_where_its_first_bytes_contradict_the_playlist(
    factor: float, serve: Serve, tmp_path: Path
) -> None:
    """The end of a fragmented segment is read from its head, as far as that has all of its fragments."""
    period = pack_fmp4(tmp_path, "film", replace(FILM, size="320x180"))
    segments = [replace(segment, seconds=segment.seconds * factor) for segment in period.segments]
    (tmp_path / "main.m3u8").write_text(media_playlist([replace(period, segments=segments)]))
    track = probed(serve(tmp_path).url("/main.m3u8"))
    assert (tmp_path / segments[-1].uri).stat().st_size > 64 * 1024
    assert track.cut == (factor == 1.0)
    if factor < 1:
        assert track.main_start is not None
        assert track.ends[Medium.VIDEO] - track.main_start == pytest.approx(6.0, abs=0.05)


def write_apart(folder: Path, *films: GeneratedVideo) -> None:
    """Write each film as a segment that was encoded by itself, and list them with two seconds each."""
    for number, film in enumerate(films):
        timed = replace(film, timestamp_offset=film.timestamp_offset - TS_DELAY)
        encode(folder, str(number), *encoder_arguments(timed), "-f", "mpegts", "NAME.ts")
    (folder / "main.m3u8").write_text(media_playlist([Period([Listed(f"{number}.ts", 2.0) for number in range(len(films))])]))


@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.44])
def test_segments_that_overlap_are_found_by_the_first_two(overlap: float, serve: Serve, tmp_path: Path) -> None:
    """Each of them is played whole, so that the end of the last one does not say how long the output is."""
    films = [replace(FILM, seconds=2, timestamp_offset=10 + number * (2.0 - overlap)) for number in range(4)]
    write_apart(tmp_path, *films)
    track = probed(serve(tmp_path).url("/main.m3u8"))
    if not overlap:
        assert track.border is None
        return
    assert track.border is not None
    assert track.border.distance == pytest.approx(2.0 - overlap, abs=0.01)
    assert track.border.listed == 2.0
    assert track.border.overlap == pytest.approx(overlap, abs=0.03)
    assert (track.border.overlaps, track.ends_early) == (True, False)


def test_a_hole_between_the_first_two_segments_is_less_than_no_overlap(serve: Serve, tmp_path: Path) -> None:
    write_apart(tmp_path, *(replace(FILM, seconds=2, timestamp_offset=10 + 2.5 * number) for number in range(3)))
    track = probed(serve(tmp_path).url("/main.m3u8"))
    assert track.border is not None
    assert track.border.overlap == pytest.approx(-0.5, abs=0.03)
    assert track.border.distance == pytest.approx(2.5, abs=0.01)
    assert (track.border.is_contiguous, track.border.contradicts_extinf) == (False, False)


@pytest.mark.parametrize(("begins", "overlap"), [((10.0, 11.5, 13.0), 0.5), ((10.0, 12.0, 13.0), 1.0)], ids=["all of them", "the last one"])
def test_pictures_that_end_early_though_the_audio_does_not_are_those_of_segments_that_overlap(
    begins: Sequence[float], overlap: float, serve: Serve, tmp_path: Path
) -> None:
    """By the audio of the last segment, the source is as long as its playlist says."""
    *films, last = (replace(FILM, seconds=2, timestamp_offset=begin) for begin in begins)
    write_apart(tmp_path, *films, replace(last, audio_end=3.0))
    track = probed(serve(tmp_path).url("/main.m3u8"))
    assert track.border is not None
    assert track.border.distance == pytest.approx(begins[1] - 10, abs=0.01)
    assert track.border.overlap == pytest.approx(overlap, abs=0.05)


@pytest.mark.parametrize("early", [0.3, 0.5])
def test_pictures_of_segments_that_overlap_beside_audio_that_does_not(early: float, serve: Serve, tmp_path: Path) -> None:
    """The audio of each segment is as long as EXTINF says, and only its video ends earlier."""
    whole = [replace(FILM, seconds=2, timestamp_offset=10 + 2 * number) for number in range(3)]
    write_apart(tmp_path, *whole)
    muted = replace(FILM, seconds=2 - early, audio_end=2.0, timestamp_offset=14)
    write_apart(tmp_path, *whole[:2], muted)
    track = probed(serve(tmp_path).url("/main.m3u8"))
    assert track.border is None  # it begins where the playlist puts it: the video is over by itself


@pytest.mark.parametrize(("factor", "wrong"), [(1.0, False), (0.95, False), (0.8, True), (1.3, True)])
def test_without_ranges_the_second_segment_shows_whether_extinf_is_wrong(
    factor: float, files: dict[str, bytes], serve: Serve, *, wrong: bool
) -> None:
    """Only then is the last segment fetched for its end."""
    listed = files["/main.m3u8"].decode().replace("#EXTINF:2.0", f"#EXTINF:{2 * factor}").encode()
    longer = {path: body[: 188 * 10] + 1500 * NULL_PACKET + body[188 * 10 :] for path, body in files.items() if path.endswith(".ts")}
    origin = serve({**longer, "/main.m3u8": listed})
    origin.rules["*"] = Rule(ignore_range=True)
    track = probed(origin.url("/main.m3u8"))
    assert bool(track.ends) == wrong
    if wrong:
        assert track.main_start is not None
        assert track.ends[Medium.VIDEO] - track.main_start == pytest.approx(6.0, abs=0.05)


@pytest.mark.parametrize(
    ("count", "listed", "known"),
    [
        pytest.param(4, 2.0, [0, 1, 2, 3], id="few periods"),
        pytest.param(6, 2.0, [0, 5], id="many"),
        pytest.param(6, 1.5, [0, 1, 2, 3, 4, 5], id="many, and the playlist is wrong about the first and the last"),
    ],
)
def test_the_ends_of_all_periods_are_read_where_the_playlist_is_wrong(
    count: int, listed: float, known: Sequence[int], files: dict[str, bytes], serve: Serve
) -> None:
    text = media_playlist([Period([Listed("film-0.ts", listed), Listed("film-1.ts", listed)]) for _ in range(count)])
    url = serve({**files, "/main.m3u8": text.encode()}).url("/main.m3u8")

    async def use(probe: SourceProbe, fetcher: Fetcher) -> list[list[ProbedTrack]]:
        return await probe.periods(await plan_of(url, fetcher), {})

    tracks = [track for (track,) in with_probe(use)]
    assert [number for number, track in enumerate(tracks) if track.ends] == known
    for number in known:
        assert tracks[number].ends[Medium.VIDEO] - (tracks[number].main_start or 0) == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("is_loud", [False, True])
def test_the_last_segment_of_each_period_shows_whether_its_audio_begins_later(
    files: dict[str, bytes], serve: Serve, *, is_loud: bool
) -> None:
    """Of many periods not every end is read, but for those that begin without audio."""
    silent = {path.replace("film", "silent"): muted(body) for path, body in files.items() if path.endswith(".ts")}
    last = "film-2.ts" if is_loud else "silent-2.ts"
    text = media_playlist([Period([Listed("silent-0.ts", 2.0), Listed("silent-1.ts", 2.0), Listed(last, 2.0)]) for _ in range(6)])
    url = serve({**files, **silent, "/main.m3u8": text.encode()}).url("/main.m3u8")

    async def use(probe: SourceProbe, fetcher: Fetcher) -> list[list[ProbedTrack]]:
        return await probe.periods(await plan_of(url, fetcher), {})

    tracks = [track for (track,) in with_probe(use)]
    assert [track.lacks_audio for track in tracks] == [True] * 6
    assert [Medium.AUDIO in track.end_media for track in tracks] == [is_loud] * 6
    assert [number for number, track in enumerate(tracks) if track.ends] == [0, 5]
