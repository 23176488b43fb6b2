"""`multipart/mixed`, written and read: by Python's own parser and by ours, cut anywhere, in pieces of any size."""

import email
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcoder.core.answer.multipart import (
    MAX_HEADER_BYTES,
    PART_END,
    MultipartReader,
    PartEnd,
    PartStart,
    boundary_of,
    closing_boundary,
    part_head,
)
from transcoder.errors import InvocationError

BOUNDARY = "b0"
Parts = list[tuple[dict[str, str], bytes]]
near_boundaries = st.lists(st.sampled_from([b"\r\n", b"--", b"b0", b"b", b"\r", b"\n", b"-", b"x", bytes(range(256))])).map(b"".join)
bodies = st.lists((st.binary() | near_boundaries).filter(lambda body: b"\r\n--b0" not in b"\r\n" + body), min_size=1)


def written(parts: list[bytes]) -> bytes:
    whole = [part_head(BOUNDARY, [("content-type", "a/b"), ("content-length", str(len(part)))]) + part + PART_END for part in parts]
    return b"".join(whole) + closing_boundary(BOUNDARY)


def read(pieces: list[bytes], *, ends: bool = True) -> Parts:
    reader, found = MultipartReader(BOUNDARY), Parts()
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, PartStart):
                found.append((dict(event.headers), b""))
            elif not isinstance(event, PartEnd):
                found[-1] = (found[-1][0], found[-1][1] + event)
    if ends:
        reader.end()
    return found


@settings(deadline=None)
@given(bodies, st.lists(st.integers(0, 3000)))
def test_what_is_written_is_read_however_it_arrives(parts: list[bytes], cuts: list[int]) -> None:
    body = written(parts)
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    expected = [({"content-type": "a/b", "content-length": str(len(part))}, part) for part in parts]
    assert read([body[start:stop] for start, stop in pairwise(edges)]) == expected
    assert read([bytes([each]) for each in body]) == expected


@settings(deadline=None)
@given(bodies.map(lambda parts: [part.replace(b"--b0", b"--b1") for part in parts]))  # it takes any line break for that of a boundary
def test_another_reader_finds_the_same_parts(parts: list[bytes]) -> None:
    message = email.message_from_bytes(f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\r\n\r\n'.encode() + written(parts))
    assert not message.defects
    payload: Any = message.get_payload()
    assert [part.get_payload(decode=True) for part in payload] == parts


def test_a_body_that_is_cut_has_no_end_wherever_it_is_cut() -> None:
    body = written([b'{"a": 1}\n', bytes(range(256)) * 3])
    for length in range(len(body) - len(b"--\r\n")):
        with pytest.raises(InvocationError, match="no closing boundary"):
            read([body[:length]])


def test_preamble_padding_and_epilogue_are_no_parts() -> None:
    body = b"for old clients\r\n--b0 \t\r\n\r\nx\r\n--b0--  \r\nthe end\r\n--b0\r\n"
    assert read([body]) == [({}, b"x")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"--b0x\r\n\r\n", id="a longer boundary"),
        pytest.param(b"--b0" + b" " * 100, id="endless padding"),
        pytest.param(b"--b0\r\n" + b"a: b\r\n" * MAX_HEADER_BYTES, id="endless headers"),
    ],
)
def test_what_is_no_multipart_is_refused(body: bytes) -> None:
    with pytest.raises(InvocationError, match="not valid"):
        read([body])


def test_memory_is_bounded_by_the_boundary() -> None:
    reader = MultipartReader(BOUNDARY)
    reader.feed(part_head(BOUNDARY, []))
    for _ in range(50):
        piece = b"\r\n--b" * 1000
        kept = sum(len(event) for event in reader.feed(piece) if isinstance(event, bytes))
        assert len(piece) - len(BOUNDARY) - 4 <= kept <= len(piece) + len(BOUNDARY) + 4


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/mixed; boundary="a b"', "a b"),
        ("Multipart/Mixed;boundary=ab", "ab"),
        ("multipart/mixed", None),
        ("multipart/form-data; boundary=ab", None),
        ("video/mp4", None),
        ("", None),
    ],
)
def test_the_boundary_is_in_the_content_type(content_type: str, boundary: str | None) -> None:
    assert boundary_of(content_type) == boundary


def test_each_part_ends_after_its_last_bytes_and_before_the_next_one() -> None:
    body, kinds = written([b"one", b"", b"three"]), list[type]()
    for event in MultipartReader(BOUNDARY).feed(body):
        kinds.append(type(event))
    assert kinds == [PartStart, bytes, PartEnd, PartStart, PartEnd, PartStart, bytes, PartEnd]


@pytest.mark.parametrize("more", [0, 1])
def test_padding_and_headers_may_be_as_long_as_their_limits(more: int) -> None:
    padded = b"--b0" + b" " * (64 + more)
    headers = b"--b0\r\na: ".ljust(4 + MAX_HEADER_BYTES + more, b"x")
    for begun, rest in ((padded, b"\r\n\r\nx\r\n--b0--"), (headers, b"\r\n\r\nx\r\n--b0--")):
        if more:
            with pytest.raises(InvocationError, match="not valid"):
                read([begun, rest])
        else:
            assert [body for _, body in read([begun, rest])] == [b"x"]
            assert [body for _, body in read([begun + rest])] == [b"x"]


def test_what_follows_the_end_is_not_kept() -> None:
    reader = MultipartReader(BOUNDARY)
    for _ in range(3):
        assert reader.feed(b"--b0--".ljust(10_000, b"x")) == []
    reader.end()
