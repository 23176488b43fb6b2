"""Content that needs no network: data: addresses and local files, and what is told of a file that is no playlist."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.responses import URL, response

from transcoder.core.answer.passthrough import SNIFFED_BYTES
from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.collected import append_to
from transcoder.edge.fetch.local_files import LocalSources, base_url, can_be_path, decode_data_url, is_data_url, path_of, read_chunks
from transcoder.edge.fetch.passthrough import NotAPlaylistError, PlaylistSniffer, local_file_head, read_file_head
from transcoder.edge.fetch.playlist_text import PlaylistText
from transcoder.errors import ForbiddenSourceError, NotFoundError, UnsupportedSourceError, UpstreamError

CHUNK = 64 * 1024
MP4 = b"\0\0\0\x18ftypmp42" + bytes(600)
PLAYLIST = b"#EXTM3U\n".ljust(2000, b"#")


@given(st.binary(max_size=300), st.sampled_from(["data:", "DATA:video/mp2t;charset=x,", "data:;base6,"]))
def test_a_percent_encoded_address_has_the_bytes_that_it_spells(content: bytes, head: str) -> None:
    head = head if head.endswith(",") else head + ","
    assert decode_data_url(head + quote_from_bytes(content, safe=",")) == content


@given(st.binary(max_size=300), st.sampled_from(["data:;base64,", "data:video/mp2t;BASE64,"]))
def test_a_base64_address_has_the_bytes_that_it_spells(content: bytes, head: str) -> None:
    text = base64.b64encode(content).decode()
    assert decode_data_url(head + text) == decode_data_url(head + text.replace("+", "%2B").replace("=", "%3d")) == content


@pytest.mark.parametrize("before", [CHUNK - 4, CHUNK - 3, CHUNK - 2, CHUNK - 1, CHUNK, 2 * CHUNK - 2])
def test_a_long_address_is_not_cut_within_an_escape(before: int) -> None:
    assert decode_data_url("data:," + "a" * before + "%00%FF" * 3 + "b") == b"a" * before + b"\0\xff" * 3 + b"b"


@pytest.mark.parametrize("url", ["data:", "data:;base64", "data:;base64,YQ", "data:;base64,Y!Q="])
def test_an_address_that_spells_nothing_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedSourceError):
        decode_data_url(url)


@pytest.mark.parametrize(("url", "is_data"), [("data:,", True), ("DaTa:,", True), ("data", False), ("date:,", False), ("xdata:,", False)])
def test_which_addresses_are_content(url: str, *, is_data: bool) -> None:
    assert is_data_url(url) is is_data


@pytest.mark.parametrize("url", ["https://a.example/a?b#c", "data:,a", "s3://a/b"])
def test_what_is_no_file_is_its_own_base(url: str) -> None:
    assert base_url(url) == url


def test_a_path_is_relative_to_where_the_program_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert base_url("a b.m3u8") == (tmp_path / "a b.m3u8").as_uri()
    assert path_of(base_url("a b.m3u8")) == tmp_path / "a b.m3u8"


@pytest.mark.parametrize(("text", "is_possible"), [("", True), ("a\udcff", True), ("a\0", False), ("\ud800", False)])
def test_what_a_path_can_be(text: str, *, is_possible: bool) -> None:
    assert can_be_path(text) is is_possible


CONTENT = bytes(range(256)) * 600  # two chunks and a part of one
RANGES = [None, *(ByteRange(*each) for each in ((0, 1), (5, 7), (0, CHUNK), (1, CHUNK + 1), (CHUNK, len(CONTENT) - CHUNK), (9, 0)))]


@pytest.mark.parametrize("byte_range", RANGES)
@pytest.mark.parametrize("exact", [True, False])
def test_a_range_of_a_file_is_read_in_chunks(byte_range: ByteRange | None, tmp_path: Path, *, exact: bool) -> None:
    (tmp_path / "a.ts").write_bytes(CONTENT)
    chunks = list(read_chunks(tmp_path / "a.ts", byte_range, exact=exact))
    expected = CONTENT if byte_range is None else CONTENT[byte_range.start : byte_range.start + byte_range.length]
    assert b"".join(chunks) == expected
    assert all(len(chunk) == CHUNK for chunk in chunks[:-1])
    assert len(chunks) == -(-len(expected) // CHUNK)


def test_a_range_beyond_the_end_is_a_failure_if_it_is_wanted_exactly(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"abc")
    assert b"".join(read_chunks(tmp_path / "a.ts", ByteRange(1, 9), exact=False)) == b"bc"
    with pytest.raises(UpstreamError, match=r"has only 2 of 9 bytes from 1 on\."):
        list(read_chunks(tmp_path / "a.ts", ByteRange(1, 9), exact=True))
    with pytest.raises(NotFoundError):
        list(read_chunks(tmp_path / "none", None, exact=True))


def test_local_files_are_read_only_while_they_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"abcdef")
    local = LocalSources(files_allowed=True)
    file = local.chunks(str(tmp_path / "a.ts"), ByteRange(2, 3), exact=True)
    assert file is not None
    assert b"".join(file) == b"cde"
    local.files_allowed = False
    with pytest.raises(ForbiddenSourceError):
        local.chunks(str(tmp_path / "a.ts"), None, exact=True)
    assert local.chunks("https://a.example/a.ts", None, exact=True) is None


@pytest.mark.parametrize(("byte_range", "expected"), [(None, b"abcdef"), (ByteRange(2, 3), b"cde"), (ByteRange(4, 9), b"ef")])
def test_the_content_of_an_address_is_that_of_no_other(byte_range: ByteRange | None, expected: bytes) -> None:
    local = LocalSources(files_allowed=False)
    for url, content in (("data:,abcdef", expected), ("data:,", b""), ("data:,abcdef", expected), ("data:,abcdef", expected)):
        found = local.chunks(url, byte_range, exact=True)
        assert found is not None
        assert b"".join(found) == content


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.mp4", MP4, "video/mp4"),
        ("a.png", MP4, "image/png"),
        ("a.html", MP4, "application/octet-stream"),
        ("a", MP4, "application/octet-stream"),
        ("a.m3u8", PLAYLIST, None),
        ("a.mp4", PLAYLIST, None),
        ("a.mp4", b"", None),
        ("a.txt", b"a text without a playlist", None),
    ],
)
def test_what_is_told_of_a_local_file(name: str, content: bytes, content_type: str | None, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    head = local_file_head(str(path))
    if content_type is None:
        assert head is None
        return
    assert head is not None
    assert (head.url, head.requested_url, head.status, head.content_type) == (path.as_uri(), str(path), 200, content_type)
    assert (head.length, head.first_bytes) == (len(content), content[:512])


def test_there_is_nothing_to_tell_of_another_address() -> None:
    assert local_file_head("https://a.example/a.mp4") is None


def sniffed(*pieces: bytes, limit: int = 10_000, **fields: str) -> bytes:
    """Pass a body on as a playlist; return what has arrived."""
    buffer = bytearray()

    async def run() -> None:
        sniffer = PlaylistSniffer(URL + "?token=1", response(200, **fields), append_to(buffer), limit=limit)
        for piece in pieces:
            await sniffer.write(piece)
        sniffer.end()

    asyncio.run(run())
    return bytes(buffer)


Cut = Callable[[bytes], Sequence[bytes]]


@pytest.mark.parametrize(
    "cut",
    [lambda body: [body], lambda body: [body[:511], body[511:]], lambda body: [body[:1], body[1:512], body[512:]]],
    ids=["at once", "before all that is looked at", "at its end"],
)
def test_a_file_is_told_by_its_first_bytes_however_they_come(cut: Cut) -> None:
    assert sniffed(*cut(PLAYLIST)) == PLAYLIST
    with pytest.raises(NotAPlaylistError) as caught:
        sniffed(*cut(MP4), content_type="video/mp4", content_length=str(10**9))
    head = caught.value.head
    assert (head.first_bytes, head.requested_url, head.length) == (MP4[:512], URL + "?token=1", 10**9)
    assert str(caught.value) == "a.ts at a.example is not a playlist but a file (video/mp4)."
    with pytest.raises(NotAPlaylistError):
        sniffed(*cut(PLAYLIST[:SNIFFED_BYTES].replace(b"#EXT", b"WEBV")), content_type="text/vtt")


def test_a_short_file_is_told_at_its_end() -> None:
    with pytest.raises(NotAPlaylistError) as caught:
        sniffed(b"\0short", content_type="video/mp4")
    assert caught.value.head.first_bytes == b"\0short"
    assert sniffed(b"#EXTM3U", content_type="video/mp4") == b"#EXTM3U"


@pytest.mark.parametrize("limit", [600, 1999, 2000, 2001])
@pytest.mark.parametrize("fields", [{}, {"content_length": "2000"}])
def test_a_playlist_is_no_longer_than_its_limit(limit: int, fields: dict[str, str]) -> None:
    pieces = [PLAYLIST[at : at + 100] for at in range(0, 2000, 100)]
    if limit >= 2000:
        assert sniffed(*pieces, limit=limit, **fields) == PLAYLIST
        return
    with pytest.raises(UnsupportedSourceError, match=f"longer than {limit} bytes, the limit for a playlist"):
        sniffed(*pieces, limit=limit, **fields)


@pytest.mark.parametrize("length", [1001, 10**9])
def test_a_length_that_is_too_large_is_enough_once_it_is_no_file(length: int) -> None:
    """A file may be as long as it likes, so that its first bytes come first."""
    assert sniffed(PLAYLIST[:511], limit=1000, content_length=str(length)) == PLAYLIST[:511]
    with pytest.raises(UnsupportedSourceError, match="longer than 1000 bytes"):
        sniffed(PLAYLIST[:512], limit=1000, content_length=str(length))
    assert sniffed(PLAYLIST[:512], limit=1000, content_length="1000") == PLAYLIST[:512]


@pytest.mark.parametrize(
    ("status", "fields", "length", "content_range", "etag"),
    [
        (200, {"content_length": "10", "etag": '"a"', "content_range": "bytes 0-9/10"}, 10, None, '"a"'),
        (206, {"content_length": "10", "etag": '"a"', "content_range": "bytes 0-9/100"}, 10, "bytes 0-9/100", '"a"'),
        (416, {"content_range": "bytes */100"}, None, "bytes */100", None),
        (200, {"content_length": "10", "etag": '"a"', "content_encoding": "gzip"}, None, None, None),
    ],
)
def test_what_fields_say_of_a_file(
    status: int, fields: dict[str, str], length: int | None, content_range: str | None, etag: str | None
) -> None:
    head = read_file_head(response(status, content_type="Video/MP4; a=b", last_modified="Mon", **fields))
    assert (head.url, head.status, head.content_type, head.last_modified) == (URL, status, "video/mp4", "Mon")
    assert (head.length, head.content_range, head.etag) == (length, content_range, etag)


def test_a_playlist_is_text_without_its_mark() -> None:
    assert PlaylistText(URL, b"\xef\xbb\xbf#EXTM3U \xff\xc3\xa9").text == "#EXTM3U \ufffd\u00e9"
