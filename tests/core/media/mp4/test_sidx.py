import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.sidx import indexed_seconds


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def sidx(durations: list[int], *, scale: int = 1000, version: int = 0) -> bytes:
    times = struct.pack(">QQ" if version else ">II", 0, 0)
    references = b"".join(struct.pack(">III", 100, duration, 1 << 31) for duration in durations)
    return box(b"sidx", struct.pack(">B3xII", version, 1, scale) + times + struct.pack(">HH", 0, len(durations)) + references)


@pytest.mark.parametrize("version", [0, 1])
def test_adds_up_the_durations(version: int) -> None:
    head = box(b"ftyp", b"iso5") + box(b"moov", b"x" * 50) + sidx([2000, 2000, 1500], version=version) + box(b"moof", b"")
    assert indexed_seconds(head) == 5.5


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(box(b"ftyp", b"") + box(b"moof", b"") + sidx([1000]), id="behind the media"),
        pytest.param(sidx([1000])[:-1], id="cut"),
        pytest.param(sidx([1000], scale=0), id="no time scale"),
        pytest.param(bytes(100), id="boxes of no size"),
    ],
)
def test_does_not_guess(head: bytes) -> None:
    assert indexed_seconds(head) is None


@given(st.binary(max_size=60))
def test_rubbish_does_no_harm(rubbish: bytes) -> None:
    found = indexed_seconds(box(b"sidx", rubbish))
    assert found is None or found >= 0
