"""Tests how texts that strangers have written are made fit to be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.plain_text import one_line, without_surrogates


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  two\n words ", "two words"),
        ("\x1b[31mred\x1b]0;title\x07", "[31mred ]0;title"),
        ("a\x9b31mb\x00c\x7f", "a 31mb c"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("Straight up \N{MOBILE PHONE}: what now?", "Straight up \N{MOBILE PHONE}: what now?"),
    ],
)
def test_a_line_has_no_control_characters(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(st.characters(categories=["Cc", "Cs", "Zl", "L"])))
def test_any_text_becomes_one_line_that_can_be_encoded(text: str) -> None:
    line = without_surrogates(one_line(text))
    assert all(character.isprintable() for character in line)
    assert len(line.encode().decode().splitlines()) <= 1
