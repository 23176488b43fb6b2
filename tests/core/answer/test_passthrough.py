"""Tests which files are passed through, and the response head sent for them."""

from http import HTTPStatus

import pytest

from transcoder.core.answer.passthrough import FileHead, file_extension, range_headers, safe_content_type, should_pass_through

AMBIGUOUS = ["", "text/plain", "text/html", "text/xml", *(f"application/{kind}" for kind in ("xml", "json", "dash+xml", "octet-stream"))]
AMBIGUOUS.append("binary/octet-stream")
"""Types that servers give to playlists and error pages, too."""
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0"


@pytest.mark.parametrize(
    ("first", "kind", "expected"),
    [
        pytest.param(MP4, "video/mp4", True, id="a video"),
        pytest.param(MP4, "text/html", True, id="a video with a wrong type"),
        pytest.param(MP4, "", True, id="a video without a type"),
        pytest.param(b"\xff\xd8\xff\xe0" * 200, "binary/octet-stream", True, id="an image"),
        pytest.param(b"#EXTM3U\n", "video/mp4", False, id="a playlist with a wrong type"),
        pytest.param(b"\xef\xbb\xbf\r\n#EXTM3U\n", "", False, id="a playlist after a byte order mark"),
        pytest.param(b"# made by x\n#EXTM3U\n", "application/vnd.apple.mpegurl", False, id="a playlist after a comment"),
        pytest.param(b"<html>", "video/mp4", False, id="an error page"),
        pytest.param(b'{"error":1}', "application/json", False, id="an error document"),
        pytest.param(b"caf\xc3\xa9 " * 200, "text/plain", False, id="a text, cut within a character"),
        pytest.param(b"WEBVTT\n", "text/vtt; charset=utf-8", True, id="subtitles"),
        pytest.param(b"", "video/mp4", False, id="an empty file"),
        pytest.param(b" \r\n", "video/mp4", False, id="white space"),
        *(pytest.param(b"text", f"{kind}/x", True, id=f"of the type {kind}") for kind in ("video", "audio", "image", "font")),
        *(pytest.param(b"text", kind, False, id=f"a text of the type {kind}") for kind in AMBIGUOUS),
        *(pytest.param(b"a\0b", kind, True, id=f"with a zero, of the type {kind}") for kind in AMBIGUOUS),
        *(pytest.param(b"a\xffb", f" {kind.upper()} ; x=y", True, id=f"no text, of the type {kind}") for kind in AMBIGUOUS),
        pytest.param(b"a\xffb", "application/x-mpegURL", False, id="what is said to be a playlist"),
        pytest.param(b"  <a>", "video/mp4", False, id="markup after spaces"),
    ],
)
def test_files_are_told_from_possible_playlists(first: bytes, kind: str, expected: bool) -> None:  # noqa: FBT001  # a column
    assert should_pass_through(first, kind) is expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("video/mp4", "video/mp4"),
        ("Video/MP2T; charset=x", "video/mp2t"),
        ("audio/x-m4a", "audio/x-m4a"),
        ("image/webp", "image/webp"),
        *(
            (kind, "application/octet-stream")
            for kind in ("text/html", "text/vtt", "text/javascript", "application/pdf", "application/mp4")
        ),
        *((kind, "application/octet-stream") for kind in ("font/woff2", "video/", "video/a b", "videox/mp4", "image/x+xml", "image/xml")),
        ("image/svg+xml", "application/octet-stream"),
        ("a\r\nb: c", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_browser_cannot_run_a_file_as_a_web_page(text: str, kind: str) -> None:
    assert safe_content_type(text) == kind


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({}, {}),
        ({"range": "bytes=0-"}, {"Range": "bytes=0-"}),
        ({"range": "bytes=-5", "if-range": '"x"'}, {"Range": "bytes=-5", "If-Range": '"x"'}),
        ({"range": "bytes=0-1,4-5"}, {}),
        ({"range": "lines=0-1"}, {}),
        ({"range": " bytes = 0 - 1 "}, {"Range": "bytes=0-1"}),
        ({"range": f"bytes={'9' * 18}-{'9' * 18}"}, {"Range": f"bytes={'9' * 18}-{'9' * 18}"}),
        ({"range": f"bytes=-{'9' * 19}"}, {}),
        ({"range": "bytes=-"}, {}),
        ({"range": "bytes=0-1", "if-range": ""}, {"Range": "bytes=0-1"}),
        ({"if-range": '"x"'}, {}),
    ],
)
def test_a_single_range_is_forwarded(headers: dict[str, str], fields: dict[str, str]) -> None:
    assert range_headers(headers) == fields


def test_the_head_of_a_partial_response() -> None:
    found = FileHead("https://a.example/x", HTTPStatus.PARTIAL_CONTENT, "video/mp4", 2, "bytes 0-1/9", '"e"', accepts_ranges=True)
    head = found.response_head("a.mp4")
    assert head.status == 206
    assert dict(head.headers) == {
        "content-type": "video/mp4",
        "content-disposition": 'attachment; filename="a.mp4"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
        "accept-ranges": "bytes",
        "content-range": "bytes 0-1/9",
        "etag": '"e"',
        "x-content-length-estimate": "2",
    }


def test_the_head_of_a_whole_file_of_unknown_length() -> None:
    found = dict(FileHead("https://a.example/x", HTTPStatus.OK, "video/mp4", None).response_head("a.mp4").headers)
    assert found["accept-ranges"] == "none"
    assert found.keys().isdisjoint({"content-range", "etag", "last-modified", "x-content-length-estimate"})
    empty = FileHead("https://a.example/x", HTTPStatus.OK, "video/mp4", 0).response_head("a.mp4")
    assert dict(empty.headers)["x-content-length-estimate"] == "0"


def test_another_length_validator_or_beginning_is_another_version() -> None:
    found = FileHead("https://a.example/x", HTTPStatus.OK, "video/mp4", 9, etag='"e"', last_modified="d", first_bytes=b"ab")
    others = [found._replace(length=8), found._replace(etag='"f"'), found._replace(first_bytes=b"a"), found._replace(etag=None)]
    assert len({each.version for each in (found, *others, others[-1]._replace(last_modified="e"))}) == 6
    for same in (found._replace(last_modified="e"), found._replace(url="https://b.example/x", status=HTTPStatus.PARTIAL_CONTENT)):
        assert same.version == found.version


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("etag", '"abc"', '"abc"'),
        ("etag", 'W/"abc"', 'W/"abc"'),
        ("etag", '"' + "a" * 16_000 + '"', None),
        ("etag", "abc", None),
        ("etag", '"a\x7fb"', None),
        ("etag", '"\xe9"', None),
        ("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT", "Sat, 01 Jan 2022 00:00:00 GMT"),
        ("last-modified", "x" * 16_000, None),
        ("last-modified", "<script>alert(1)</script>", None),
        ("content-range", "bytes 0-1/9", "bytes 0-1/9"),
        ("content-range", "bytes */9", "bytes */9"),
        ("content-range", "bytes 0-1/" + "9" * 16_000, None),
        ("content-range", "lines 0-1/9", None),
    ],
)
def test_only_valid_fields_of_the_origin_are_passed_on(field: str, value: str, expected: str | None) -> None:
    found = FileHead("https://a.example/x", HTTPStatus.OK, "video/mp4", 2)
    found = found._replace(**{field.replace("-", "_"): value})  # type: ignore[arg-type]  # each is a text
    assert dict(found.response_head("a.mp4").headers).get(field) == expected


@pytest.mark.parametrize("condition", ['"' + "a" * 16_000 + '"', '"\xe9"', '"a\r\nb"'])
def test_a_condition_that_cannot_be_sent_to_the_origin_is_not_met(condition: str) -> None:
    assert range_headers({"range": "bytes=0-", "if-range": condition}) == {}


@pytest.mark.parametrize(
    ("url", "kind", "extension"),
    [
        ("https://preview.redd.it/a.gif?format=mp4&s=1", "video/mp4", "mp4"),
        ("https://a.example/a.PNG", "video/webm", "webm"),
        ("https://a.example/a.gif", "image/gif", "gif"),
        ("https://a.example/a.jpeg", "image/jpeg", "jpeg"),
        ("https://a.example/a.gif", "application/octet-stream", "gif"),
        ("https://a.example/a.mov", "video/mp4", "mov"),
    ],
)
def test_a_video_from_the_address_of_an_image_is_named_as_a_video(url: str, kind: str, extension: str) -> None:
    assert file_extension(FileHead(url, HTTPStatus.OK, kind, None)) == extension


@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        ("video/mp4", "mp4"),
        ("audio/mp4", "m4a"),
        ("audio/mpeg", "mp3"),
        ("video/webm", "webm"),
        ("video/mp2t", "ts"),
        ("image/jpeg", "jpg"),
        ("image/png", "bin"),
        ("application/octet-stream", "bin"),
    ],
)
def test_each_type_has_its_extension_where_the_address_has_none(kind: str, extension: str) -> None:
    for address in ("https://a.example/b", "https://a.example/b.", "https://a.example/b.ninechars"):
        assert file_extension(FileHead(address, HTTPStatus.OK, kind, None)) == extension
    assert file_extension(FileHead("https://a.example/b.eightchr", HTTPStatus.OK, kind, None)) == "eightchr"
    for image in ("gif", "jpg", "jpeg", "png", "webp"):
        expected = extension if kind.startswith(("video/", "audio/")) else image
        assert file_extension(FileHead(f"https://a.example/b.{image}", HTTPStatus.OK, kind, None)) == expected


@pytest.mark.parametrize(("url", "extension"), [("https://a/b.WebM?x=.y", "webm"), ("https://a/b", "mp4"), ("https://a/b.c%2Fd", "mp4")])
def test_the_extension_comes_from_the_address_or_the_type(url: str, extension: str) -> None:
    assert file_extension(FileHead(url, HTTPStatus.OK, "video/mp4", None)) == extension
