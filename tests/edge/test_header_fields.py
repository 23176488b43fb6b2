"""Header fields are read as h11 reads them, but in linear time."""

import re
import time

import pytest
from h11 import _readers
from h11._abnf import header_field
from hypothesis import given
from hypothesis import strategies as st

from transcoder.edge import header_fields

H11 = re.compile(header_field.encode("ascii"))
header_fields.read_in_linear_time()


@given(st.lists(st.sampled_from([b"x", b"-", b":", b" ", b"\t", b"\0", b"\xff", b"\r", b"\x0b", b"\x7f"]), max_size=12).map(b"".join))
def test_every_line_is_read_as_before(end: bytes) -> None:
    for line in (end, b"x:" + end):
        expected, found = H11.fullmatch(line), _readers.header_field_re.fullmatch(line)
        assert (found and found.groupdict()) == (expected and expected.groupdict())


@pytest.mark.parametrize("unit", [b" ", b"\t", b" \t", b"a ", b"a", b":"])
@pytest.mark.parametrize("end", [b"\0", b"a\0", b""])
def test_a_line_takes_little_time(unit: bytes, end: bytes) -> None:
    line = b"x:" + unit * (500_000 // len(unit)) + end
    began = time.process_time()
    assert (_readers.header_field_re.fullmatch(line) is None) == bool(end)
    assert time.process_time() - began < 1.0
