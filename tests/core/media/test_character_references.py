"""Character references are read as HTML says, whatever their numbers are."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.character_references import unescape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("&amp;&lt;&#65;&#x41;", "&<AA", id="names and numbers"),
        pytest.param("&#" + "0" * 5000 + "65;", "A", id="very many zeros"),
        pytest.param("&#" + "9" * 5000 + ";b", "\ufffdb", id="very many digits"),
        pytest.param("&#" + "9" * 5000, "\ufffd", id="very many digits without an end"),
        pytest.param("&#x" + "f" * 5000 + ";", "\ufffd", id="very many hexadecimal digits"),
        pytest.param("&#99999999;", "\ufffd", id="more than there are"),
        pytest.param("&#0;&#00;", "\ufffd\ufffd", id="zero"),
        pytest.param("&#;&#a;&", "&#;&#a;&", id="no references"),
    ],
)
def test_a_reference_is_read(text: str, expected: str) -> None:
    assert unescape(text) == expected


@given(st.lists(st.sampled_from(["&", "#", "x", "0", "1", "9", "99999", ";", "a", "amp", "\u0661"]), max_size=12).map("".join))
def test_every_text_is_read_as_html_says(text: str) -> None:
    assert unescape(text) == html.unescape(text)
