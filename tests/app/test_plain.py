"""The response of a plain MP4: length, ranges and validators, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.application import Answered, ask, ask_all
from peers.origin import GOOD, Origin, Request, Rule
from peers.source_files import files_in

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES
from transcoder.errors import ChangedFileError, TooLargeError
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01)


@pytest.fixture
def origin(media: Media, serve: Serve) -> Origin:
    return serve(files_in(media("fmp4-separate-audio")))


def target(origin: Origin, parameters: str = "layout=plain") -> str:
    return f"/download?{parameters}&url={origin.url('/main.m3u8')}"


def get(origin: Origin, parameters: str = "layout=plain", *, settings: Settings = SETTINGS, **headers: str) -> Answered:
    return ask(target(origin, parameters), settings=settings, headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_the_whole_file_has_a_length_and_a_strong_validator(origin: Origin) -> None:
    answer = get(origin)
    assert answer.status == 200
    assert answer.headers["x-content-length"] == str(len(answer.body))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-duration"] == "6.000"
    assert "x-content-length-estimate" not in answer.headers
    assert answer.body[4:8] == b"ftyp"
    assert answer.body[answer.body.index(b"moov") :].index(b"mdat") > 0


def test_times_and_size_of_the_index_are_told(origin: Origin) -> None:
    answer = get(origin)
    assert "index;dur=" in answer.headers["server-timing"]
    assert f"{answer.notes['index_heads']} heads" in answer.headers["server-timing"]
    assert answer.notes["layout"] == "plain"
    assert float(answer.notes["index_ms"]) > 0
    assert int(answer.notes["index_bytes"]) > 1000


def test_a_range_is_a_part_of_the_whole(origin: Origin) -> None:
    whole = get(origin).body
    answer = get(origin, range="bytes=100000-299999")
    assert (answer.status, answer.body) == (206, whole[100000:300000])
    assert answer.headers["content-range"] == f"bytes 100000-299999/{len(whole)}"
    assert answer.headers["x-content-length"] == "200000"


def test_a_stale_if_range_gives_the_whole(origin: Origin) -> None:
    answer = get(origin, range="bytes=0-9", if_range='"other"')
    assert (answer.status, len(answer.body)) == (200, int(answer.headers["x-content-length"]))
    assert get(origin, range="bytes=0-9", if_range=answer.headers["etag"]).status == 206


def test_head_is_complete_and_fetches_no_media(origin: Origin) -> None:
    head = ask(target(origin), settings=SETTINGS, method="HEAD")
    sent = origin.sent
    whole = get(origin)
    assert (head.status, len(head.body)) == (200, 0)
    assert sent < 60_000
    for name in ("x-content-length", "etag", "accept-ranges", "x-content-duration", "content-type", "content-disposition"):
        assert head.headers[name] == whole.headers[name]


def test_a_client_that_has_the_file_is_told_so(origin: Origin) -> None:
    etag = get(origin).headers["etag"]
    answer = get(origin, if_none_match=etag)
    assert (answer.status, len(answer.body), answer.headers["etag"]) == (304, 0, etag)


def test_a_range_beyond_the_end_is_refused_with_a_body(origin: Origin) -> None:
    length = get(origin).headers["x-content-length"]
    answer = get(origin, range=f"bytes={length}-")
    assert answer.problem[:2] == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{length}"


@pytest.mark.parametrize("text", ["bytes=0-1,5-9", "bytes=9-5", "bytes=x", "lines=0-1"])
def test_several_and_malformed_ranges_give_the_whole(text: str, origin: Origin) -> None:
    answer = get(origin, range=text)
    assert (answer.status, len(answer.body)) == (200, int(answer.headers["x-content-length"]))


LIMIT = 300_000
LIMITED = Settings(allow_private=True, response_limit=LIMIT + MAX_PRELUDE_BYTES)


def test_a_file_beyond_the_limit_names_the_way_to_get_it(origin: Origin) -> None:
    status, slug, detail = get(origin, settings=LIMITED).problem
    assert (status, slug) == (413, "too-large")
    assert "get --via" in detail
    assert "Range" in detail


def test_a_named_end_beyond_the_limit_is_answered_with_less(origin: Origin) -> None:
    length = int(get(origin).headers["x-content-length"])
    answer = get(origin, settings=LIMITED, range="bytes=5-600000")
    assert (answer.status, len(answer.body)) == (206, LIMIT)
    assert answer.headers["content-range"] == f"bytes 5-{LIMIT + 4}/{length}"


def test_an_open_end_beyond_the_limit_is_broken_off(origin: Origin) -> None:
    length, answer = int(get(origin).headers["x-content-length"]), Answered()
    with pytest.raises(TooLargeError, match=f"breaks off after {LIMIT} bytes"):
        ask(target(origin), settings=LIMITED, headers={"range": "bytes=5-"}, into=answer)
    assert (answer.status, len(answer.body)) == (206, LIMIT)
    assert answer.headers["content-range"] == f"bytes 5-{length - 1}/{length}"


def test_an_index_is_kept_for_the_next_request(origin: Origin) -> None:
    first, second = ask_all([target(origin)] * 2, settings=SETTINGS, headers={"range": "bytes=0-9"})
    assert (first.body, first.headers["etag"]) == (second.body, second.headers["etag"])
    assert 'desc="cached"' in second.headers["server-timing"]
    assert second.notes["index_heads"] == 0
    heads = [request.path for request in origin.requests if request.path.endswith(".m4s")]
    assert len(heads) == first.notes["index_heads"]


def test_an_index_that_is_kept_does_not_change_the_layout(origin: Origin) -> None:
    settings = Settings(allow_private=True, plain_heads=3)
    plain, auto = ask_all([target(origin), target(origin, "layout=auto")], settings=settings)
    assert (plain.headers["accept-ranges"], auto.headers["accept-ranges"]) == ("bytes", "none")


def test_a_source_that_changes_fails_visibly_and_then_has_another_etag(origin: Origin) -> None:
    files = origin.files
    assert isinstance(files, dict)
    path = sorted(path for path in files if "large" in path and path.endswith(".m4s"))[1]

    def change(request: Request, earlier: int) -> Rule:
        if request.path == "/main.m3u8" and earlier == 1:
            files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])
        return GOOD

    origin.decide = change
    answers = [Answered(), Answered()]
    with pytest.raises(ChangedFileError, match="has changed since"):
        ask_all([target(origin)] * 2, settings=SETTINGS, into=answers)
    assert answers[0].status == 200
    assert len(answers[1].body) < int(answers[1].headers["x-content-length"])
    etags = [answers[0].headers["etag"], get(origin).headers["etag"]]
    assert len(set(etags)) == 2


@pytest.mark.parametrize(("name", "layout", "expected"), [
    ("fmp4-muxed", "auto", "bytes"), ("fmp4-muxed", "plain", "bytes"), ("fmp4-muxed", "fragmented", "none"), ("ts-muxed", "plain", "none"),
    ("ts-muxed", "auto", "none"), ("ts-muxed", "fragmented", "none"), ("join-fmp4", "auto", "none"), ("fmp4-dts", "auto", "none"),
])  # fmt: skip
def test_the_source_decides_the_layout(name: str, layout: str, expected: str, media: Media, serve: Serve) -> None:
    answer = get(serve(media(name)), f"layout={layout}")
    assert (answer.status, answer.headers["accept-ranges"]) == (200, expected)


def test_a_head_that_fails_is_an_error_whatever_the_layout(origin: Origin) -> None:
    files = origin.files
    assert isinstance(files, dict)
    del files[sorted(path for path in files if "large" in path and path.endswith(".m4s"))[1]]
    assert [get(origin, f"layout={layout}").problem[:2] for layout in ("auto", "plain")] == [(502, "upstream-failed")] * 2


def test_layout_plain_contradicts_what_is_encoded(origin: Origin) -> None:
    assert get(origin, "layout=plain&format=mp3").problem[:2] == (400, "bad-request")
    assert get(origin, "layout=square").problem[:2] == (400, "bad-request")
