"""Whole downloads in the process of the test: what is in the MP4 is what the source has, or the response says why there is none."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Serve
from generated_video import GeneratedVideo
from packager import Period, Segment, Variant, media_playlist, multivariant_playlist, pack_fmp4, pack_ts
from peers import media_reader
from peers.application import Answered, ask
from peers.origin import GOOD, Origin, Request, Rule
from peers.program_map_edits import muted, packets_of, pid_of
from peers.source_files import files_in

from transcoder.errors import TranscoderError, UpstreamError
from transcoder.settings import Settings

FILM = GeneratedVideo(seconds=6, size="160x90", b_frames=0)
FRAME = 1024 / 48_000
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=2)
Media = Callable[[str], Path]
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Three segments of two seconds, and three more of the same film on another clock."""
    folder = tmp_path_factory.mktemp("film")
    pack_ts(folder, "film", FILM)
    pack_ts(folder, "later", replace(FILM, timestamp_offset=500))
    return files_in(folder)


def playlist(*names: str) -> bytes:
    """List segments of two seconds; a `/` begins a period."""
    periods: list[list[Segment]] = [[]]
    for name in names:
        if name == "/":
            periods.append([])
        else:
            periods[-1].append(Segment(f"{name}.ts", 2.0))
    return media_playlist([Period(segments) for segments in periods]).encode()


def download(origin: Origin, parameters: str = "", *, settings: Settings = SETTINGS, path: str = "/main.m3u8") -> Answered:
    return ask(f"/download?layout=fragmented&{parameters}&url={origin.url(path)}", settings=settings)


def times_in(answer: Answered, folder: Path, parameters: str = "mp4") -> Mapping[str, list[float]]:
    """Return the presentation times in a response, which must be whole and as long as it says; the first of them all is zero."""
    file = folder / f"output.{parameters}"
    file.write_bytes(answer.body)
    assert (answer.status, media_reader.is_whole(file)) == (200, True)
    times = {medium: sorted(each) for medium, each in media_reader.presentation_times(file).items()}
    ends = [each[-1] + (each[-1] - each[-2]) for each in times.values()]
    assert float(answer.headers["x-content-duration"]) == pytest.approx(max(ends), abs=0.06)
    assert media_reader.header_duration(file) == pytest.approx(max(ends), abs=0.06)
    assert min(each[0] for each in times.values()) == pytest.approx(0.0, abs=0.001)
    return times


def holes(times: Sequence[float], *, least: float) -> list[tuple[float, float]]:
    return [(before, after) for before, after in itertools.pairwise(times) if after - before > least]


@pytest.mark.parametrize(
    ("name", "playlists"),
    [
        ("ts-muxed", ["main"]), ("fmp4-muxed", ["main"]), ("fmp4-separate-audio", ["large", "audio"]), ("ts-video-only", ["main"]),
        ("fmp4-byterange", ["main"]),
    ],
)  # fmt: skip
def test_each_packet_is_there_at_its_time(name: str, playlists: Sequence[str], media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    sources = [media_reader.concatenate(folder / f"{each}.m3u8", tmp_path / each) for each in playlists]
    found, expected = times_in(download(serve(folder)), tmp_path), media_reader.presentation_times(*sources)
    first = min(min(times) for times in expected.values())
    assert found.keys() == expected.keys()
    for medium, times in expected.items():
        assert found[medium] == pytest.approx([time - first for time in sorted(times)], abs=0.001)


def test_each_frame_of_packed_audio_is_there(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("packed-aac")
    source = media_reader.concatenate(folder / "video.m3u8", tmp_path / "video.ts"), folder / "audio.whole.aac"
    found = times_in(download(serve(folder)), tmp_path)
    assert {medium: len(times) for medium, times in found.items()} == media_reader.packet_counts(*source)
    assert (holes(found["video"], least=0.05), holes(found["audio"], least=0.03)) == ([], [])


@pytest.mark.parametrize("name", ["aes-ts", "aes-fmp4"])
def test_what_is_encrypted_comes_in_the_clear(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    found = times_in(download(serve(media(name))), tmp_path)
    assert (len(found["video"]), holes(found["video"], least=0.05), holes(found["audio"], least=0.03)) == (150, [], [])


@pytest.mark.parametrize("count", [1, 2])
def test_silence_comes_before_audio_that_begins_late(count: int, film: Files, serve: Serve, tmp_path: Path) -> None:
    files = {**film, **{f"/film-{number}.ts": muted(film[f"/film-{number}.ts"]) for number in range(count)}}
    found = times_in(download(serve({**files, "/main.m3u8": playlist("film-0", "film-1", "film-2")})), tmp_path)
    assert (len(found["video"]), holes(found["audio"], least=0.03)) == (150, [])
    assert found["audio"][0] == pytest.approx(0.0, abs=0.05)
    assert found["audio"][-1] == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("tagged", [False, True], ids=["no tag", "a tag"])
def test_two_clocks_become_one(film: Files, serve: Serve, tmp_path: Path, *, tagged: bool) -> None:
    names = ["film-0", "film-1", *(["/"] if tagged else []), "later-2", "later-1"]
    if not tagged:
        names[-2:] = ["later-1", "later-2"]
    else:
        names[-2:] = ["later-0", "later-1"]
    found = times_in(download(serve({**film, "/main.m3u8": playlist(*names)})), tmp_path)
    assert (len(found["video"]), holes(found["video"], least=0.06), holes(found["audio"], least=0.06)) == (200, [], [])


@pytest.mark.parametrize("silent", [(0, 1), (2, 3)], ids=["first", "second"])
def test_a_period_without_audio_is_silent(silent: Sequence[int], film: Files, serve: Serve, tmp_path: Path) -> None:
    names = ["film-0", "film-1", "later-0", "later-1"]
    files = {**film, **{f"/{names[number]}.ts": muted(film[f"/{names[number]}.ts"]) for number in silent}}
    found = times_in(download(serve({**files, "/main.m3u8": playlist(*names[:2], "/", *names[2:])})), tmp_path)
    assert (len(found["video"]), holes(found["audio"], least=0.06)) == (200, [])
    assert found["audio"][-1] == pytest.approx(8.0, abs=0.15)


REFUSED = {
    "a segment of another place": (["film-0", "later-1", "film-2"], {}, "later-1.ts", "the next one continues the one before it"),
    "a segment that comes twice": (["film-0", "film-1", "twin", "film-2"], {"twin": "film-1"}, "twin.ts", ""),
    "another order": (["film-0", "film-2", "film-1"], {}, "", ""),
    "a web page": (["film-0", "page", "film-2"], {"page": ""}, "page.ts", ""),
    "no video later": (["film-0", "film-1", "/", "silent"], {}, "", "has no video"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_not_the_film_is_refused(case: str, film: Files, serve: Serve) -> None:
    names, aliases, named, words = REFUSED[case]
    copies = {f"/{name}.ts": film[f"/{of}.ts"] if of else b"<html><body>Sorry</body></html>" for name, of in aliases.items()}
    silent = b"".join(packet for packet in packets_of(film["/later-0.ts"]) if pid_of(packet) != 0x100)
    origin, answer = serve({**film, **copies, "/silent.ts": silent, "/main.m3u8": playlist(*names)}), Answered()
    error = ""
    try:
        ask(f"/download?layout=fragmented&url={origin.url('/main.m3u8')}", settings=SETTINGS, into=answer)
        status, _, error = answer.problem
        assert status in {422, 502}
    except TranscoderError as broken_off:
        error = str(broken_off)
        assert not answer.body.endswith(b"mfro", -8, -4)
    assert named in error
    assert words in error


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("fault", ["missing", "cut", "damaged"])
def test_a_segment_that_stays_faulty_is_named(fault: str, number: int, film: Files, serve: Serve) -> None:
    body, path = film[f"/film-{number}.ts"], f"/film-{number}.ts"
    damaged = body[: 188 * 40] + bytes(188 * 10) + body[188 * 50 :]
    rules = {"missing": Rule(status=404), "cut": Rule(body=body[: len(body) // 188 // 2 * 188]), "damaged": Rule(body=damaged)}
    origin, answer = serve({**film, "/main.m3u8": playlist("film-0", "film-1", "film-2")}), Answered()
    origin.rules[path] = rules[fault]
    try:
        ask(f"/download?layout=fragmented&url={origin.url('/main.m3u8')}", settings=SETTINGS, into=answer)
        status, _, error = answer.problem
        assert status == 502
    except UpstreamError as broken_off:
        error = str(broken_off)
    # Where a part of the media is missing, the end of one segment and the start of the next one show it.
    assert path[1:] in error or (fault == "cut" and f"film-{number + 1}.ts" in error)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_segment_that_comes_damaged_and_then_well_is_whole(number: int, times: int, film: Files, serve: Serve, tmp_path: Path) -> None:
    body = film[f"/film-{number}.ts"]
    origin = serve({**film, "/main.m3u8": playlist("film-0", "film-1", "film-2")})

    def decide(request: Request, earlier: int) -> Rule:
        is_whole = "range" not in request.headers
        return Rule(body=body[: 188 * 40] + bytes(188 * 10) + body[188 * 50 :]) if is_whole and earlier < times else GOOD

    origin.decide = lambda request, earlier: decide(request, earlier) if request.path == f"/film-{number}.ts" else GOOD
    origin.resource_of = lambda request: f"{request.path} {'range' in request.headers}"
    found = times_in(download(origin), tmp_path)
    assert (len(found["video"]), holes(found["video"], least=0.05), holes(found["audio"], least=0.03)) == (150, [], [])


@pytest.mark.parametrize(("last", "seconds"), [(b"", 0.02), (b"G\x1f\xff\x10" + 184 * b"\xff", 0.1)], ids=["nothing", "a null packet"])
def test_an_empty_last_segment_is_left_out(last: bytes, seconds: float, film: Files, serve: Serve, tmp_path: Path) -> None:
    listed = playlist("film-0", "film-1", "film-2").replace(b"#EXT-X-ENDLIST", f"#EXTINF:{seconds},\nlast\n#EXT-X-ENDLIST".encode())
    origin = serve({**film, "/last": last, "/main.m3u8": listed})
    assert len(times_in(download(origin), tmp_path)["video"]) == 150
    assert len(origin.requests_of("/last")) >= 2  # it is not believed at once


@pytest.mark.parametrize(
    ("parameters", "video", "audio"),
    [
        ("mute=1", 150, None),
        ("format=m4a", None, 6.0),
        ("start=2.5", 100, 4.0),
        ("start=2.5&end=4.1", 53, 2.1),
        ("end=3", 75, 3.0),
        ("start=2.5&exact=1", None, 3.5),
    ],
)
def test_a_part_has_what_lies_in_it(
    parameters: str, video: int | None, audio: float | None, film: Files, serve: Serve, tmp_path: Path
) -> None:
    found = times_in(download(serve({**film, "/main.m3u8": playlist("film-0", "film-1", "film-2")}), parameters), tmp_path)
    if video is not None:
        assert len(found["video"]) == pytest.approx(video, abs=2)
    if audio is None:
        assert "audio" not in found
    else:
        assert len(found["audio"]) * FRAME == pytest.approx(audio, abs=0.1)


@pytest.mark.parametrize("output", ["m4a", "mp3"])
def test_a_pause_of_audio_alone_lasts_as_long_as_in_the_source(output: str, film: Files, serve: Serve, tmp_path: Path) -> None:
    files = {**film, "/film-1.ts": muted(film["/film-1.ts"]), "/main.m3u8": playlist("film-0", "film-1", "film-2")}
    answer = download(serve(files), f"format={output}")
    (tmp_path / f"output.{output}").write_bytes(answer.body)
    assert float(answer.headers["x-content-duration"]) == pytest.approx(6.0, abs=0.1)
    assert media_reader.duration(tmp_path / f"output.{output}") == pytest.approx(6.0, abs=0.15)


def test_an_mp3_has_the_last_frames_of_the_audio(film: Files, serve: Serve, tmp_path: Path) -> None:
    """They are held back until its period has ended. LAME puts 1105 samples before the audio, and fills up the last frames of 24 ms."""
    answer = download(serve({**film, "/main.m3u8": playlist("film-0", "film-1", "film-2")}), "format=mp3")
    (tmp_path / "output.mp3").write_bytes(answer.body)
    assert 6.0 + 1105 / 48_000 <= media_reader.duration(tmp_path / "output.mp3") <= 6.0 + 4 * 0.024


@pytest.mark.parametrize("output", ["m4a", "mp3"])
def test_a_pause_may_end_with_another_codec(output: str, film: Files, serve: Serve, tmp_path: Path) -> None:
    pack_ts(tmp_path, "other", replace(FILM, audio_codec="mp2"))
    files = {**film, **files_in(tmp_path), "/film-1.ts": muted(film["/film-1.ts"]), "/main.m3u8": playlist("film-0", "film-1", "other-2")}
    (tmp_path / f"output.{output}").write_bytes(download(serve(files), f"format={output}").body)
    assert media_reader.duration(tmp_path / f"output.{output}") == pytest.approx(6.0, abs=0.15)


def test_the_best_variant_that_fits_and_is_there_is_taken(film: Files, serve: Serve, tmp_path: Path) -> None:
    small = pack_fmp4(tmp_path, "small", replace(FILM, size="96x54", seconds=4))
    (tmp_path / "small.m3u8").write_text(media_playlist([small]))
    variants = [Variant("main.m3u8", FILM, 800_000), Variant("small.m3u8", replace(FILM, size="96x54"), 80_000)]
    files = {**film, **files_in(tmp_path), "/main.m3u8": playlist("film-0", "film-1", "film-2")}
    origin = serve({**files, "/all.m3u8": multivariant_playlist(variants).encode()})
    assert len(times_in(download(origin, path="/all.m3u8"), tmp_path)["video"]) == 150
    assert len(times_in(download(origin, "height=60", path="/all.m3u8"), tmp_path)["video"]) == 100
    assert len(times_in(download(origin, "fit=100kB", path="/all.m3u8"), tmp_path)["video"]) == 100
    assert download(origin, "fit=10kB", path="/all.m3u8").problem[:2] == (413, "too-large")
