"""What an Accept header names."""

import pytest

from transcoder.core.answer.accept import names_type


@pytest.mark.parametrize(
    ("accept", "named"),
    [
        ("multipart/mixed", True),
        ("video/mp4, Multipart/Mixed;q=0.5", True),
        ("multipart/mixed; a=b; q=0.001", True),
        ("multipart/mixed;q=0", False),
        ("multipart/mixed; q=0.000", False),
        ("*/*", False),
        ("multipart/*", False),
        ("", False),
        (";,;", False),
        ("multipart/mixed;q=0.;a=b", False),
        ("multipart/mixed; a=0; qq=0", True),
        ("a/b;q=0, multipart/mixed", True),
    ],
)
def test_only_the_type_itself_counts(accept: str, *, named: bool) -> None:
    assert names_type(accept, "multipart/mixed") is named
