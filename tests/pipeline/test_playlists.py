"""A playlist that may be cut, skips segments or is none is asked for again; of two that belong together, none may have lost entries."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.application import Answered, ask
from peers.origin import Origin, Rule, html
from peers.source_files import files_in

from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=1)
ENDLIST = b"#EXT-X-ENDLIST\n"
Media = Callable[[str], Path]
Files = dict[str, bytes]


@pytest.fixture
def files(media: Media) -> Files:
    return files_in(media("ts-separate-audio"))


def report(origin: Origin, path: str = "/main.m3u8") -> Answered:
    """Plan a source: nothing but its playlists is fetched, and what may follow them."""
    return ask(f"/info?url={origin.url(path)}", settings=SETTINGS)


def entries(text: bytes, *kept: int) -> bytes:
    """Keep these entries of a Media Playlist; the text ends after the last of them."""
    head, *parts = text.removesuffix(ENDLIST).split(b"#EXTINF")
    return b"#EXTINF".join([head, *(parts[number] for number in kept)])


def numbered(*numbers: int, seconds: str = "2.0", end: bytes = ENDLIST, kind: str = "") -> bytes:
    """List segments that are named by their numbers."""
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{kind}"
    return head.encode() + b"".join(f"#EXTINF:{seconds},\nfilm-{number}.ts\n".encode() for number in numbers) + end


@pytest.mark.parametrize("path", ["/main.m3u8", "/large.m3u8", "/audio.m3u8"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("part", [None, 0.25, 0.5, 0.75, 0.9], ids=lambda part: "a page" if part is None else f"cut at {part}")
def test_a_wrong_text_is_asked_for_again_as_often_as_it_may_pass(
    part: float | None, times: int, path: str, files: Files, serve: Serve
) -> None:
    origin = serve(files)
    body = html(3000) if part is None else files[path][: int(len(files[path]) * part)]
    origin.rules[path] = Rule(body=body, times=times)
    answer = report(origin)
    assert (answer.status, answer.document["seconds"]) == (200, pytest.approx(6.0, abs=0.1))
    assert len(origin.requests_of(path)) == times + 1


@pytest.mark.parametrize("path", ["/main.m3u8", "/large.m3u8"])
def test_a_page_in_place_of_a_playlist_is_believed_the_third_time(path: str, files: Files, serve: Serve) -> None:
    origin = serve(files)
    origin.rules[path] = Rule(body=html(3000))
    assert report(origin).problem[0] in {422, 502}
    assert len(origin.requests_of(path)) == 3


@pytest.mark.parametrize(("path", "kept"), [("/large.m3u8", (1, 2)), ("/audio.m3u8", (0, 2)), ("/audio.m3u8", (0, 1))])
@pytest.mark.parametrize("times", [1, 2, None])
def test_entries_that_one_of_two_tracks_lacks_are_asked_for_twice_more(
    path: str, kept: tuple[int, ...], times: int | None, files: Files, serve: Serve
) -> None:
    origin = serve(files)
    origin.rules[path] = Rule(body=entries(files[path], *kept) + ENDLIST, times=times)
    answer = report(origin)
    if times is None:
        assert (answer.problem[:2], "entries are missing" in answer.problem[2]) == ((502, "upstream-failed"), True)
    else:
        assert (answer.status, answer.document["seconds"]) == (200, pytest.approx(6.0, abs=0.1))
    assert not [request for request in origin.requests if request.path.endswith(".ts") and "range" not in request.headers]


@pytest.mark.parametrize(
    ("other", "accepted"), [((0, 1, 2), False), ((0,), True), (None, False)], ids=["is longer", "is as short", "is not there"]
)
def test_a_much_shorter_track_is_believed_if_another_list_of_it_is_as_short(
    other: tuple[int, ...] | None, files: Files, serve: Serve, *, accepted: bool
) -> None:
    more = b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="Sound",URI="other.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=90'
    main, audio = files["/main.m3u8"].replace(b"#EXT-X-STREAM-INF:BANDWIDTH=90", more), files["/audio.m3u8"]
    changed = {"/main.m3u8": main, "/audio.m3u8": entries(audio, 0) + ENDLIST}
    if other is not None:
        changed["/other.m3u8"] = entries(audio, *other) + ENDLIST
    origin = serve({**files, **changed})
    answer = report(origin)
    assert (answer.status == 200) == accepted
    assert accepted or "entries are missing" in answer.problem[2]


@pytest.mark.parametrize("times", [0, 1, 2, None])
def test_names_that_skip_a_number_are_believed_the_third_time(times: int | None, serve: Serve) -> None:
    origin = serve({"/main.m3u8": numbered(0, 1, 2, 3, 4)})
    origin.rules["/main.m3u8"] = Rule(body=numbered(0, 1, 3, 4), times=times) if times != 0 else Rule()
    answer = report(origin)
    assert answer.document["seconds"] == pytest.approx(8.0 if times is None else 10.0)
    assert len(origin.requests_of("/main.m3u8")) == (3 if times is None else times + 1)


VOD = "#EXT-X-PLAYLIST-TYPE:VOD\n"


@pytest.mark.parametrize(
    ("following", "accepted"),
    [(None, True), (b"G" + bytes(187), False), (html(500), True), (b"", True)],
    ids=["nothing", "media", "a page", "an empty file"],
)
def test_a_text_without_an_end_is_whole_if_it_is_always_the_same_and_nothing_follows(
    following: bytes | None, serve: Serve, *, accepted: bool
) -> None:
    files = {"/main.m3u8": numbered(0, 1, end=b"", kind=VOD), **({} if following is None else {"/film-2.ts": following})}
    origin = serve(files)
    answer = report(origin)
    assert (answer.status == 200) == accepted
    assert len(origin.requests_of("/main.m3u8")) == 3
    assert len(origin.requests_of("/film-2.ts")) == 1
    assert accepted or "incomplete" in answer.problem[2]


@pytest.mark.parametrize("length", [1000, 1250, 1251, 1500])
def test_a_text_without_an_end_must_reach_the_end_of_its_file(length: int, serve: Serve) -> None:
    """A file may end with an index that is no segment: less than half of what the segments have."""
    ranges = "".join(f"#EXTINF:2.0,\n#EXT-X-BYTERANGE:500@{at}\nfilm.ts\n" for at in (0, 500))
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{VOD}#EXT-X-VERSION:4\n{ranges}".encode()
    answer = report(serve({"/main.m3u8": text, "/film.ts": bytes(length)}))
    assert (answer.status == 200) == (length <= 1250)


def test_texts_without_an_end_that_differ_are_cut(serve: Serve) -> None:
    origin = serve({"/main.m3u8": numbered(0, 1, end=b"", kind=VOD)})
    origin.rules["/main.m3u8"] = [Rule(body=numbered(0, 1, 2, end=b"", kind=VOD), times=2), Rule()]
    assert "incomplete" in report(origin).problem[2]


def test_addresses_may_be_signed_anew_each_time(serve: Serve) -> None:
    origin = serve({})
    text = numbered(0, 1, end=b"", kind=VOD)
    origin.rules["/main.m3u8"] = [Rule(body=text.replace(b".ts", b".ts?%d" % number), times=1) for number in range(3)]
    assert report(origin).status == 200
