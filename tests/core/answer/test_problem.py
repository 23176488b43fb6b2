"""What a received error says, as one sentence, whatever it is."""

import pytest

from transcoder.core.answer.problem import problem_document, problem_sentence
from transcoder.errors import NotFoundError


def test_a_problem_document_has_its_members() -> None:
    """RFC 9457, 3.1."""
    assert problem_document(NotFoundError("No such video.")) == {
        "type": "urn:problem-type:transcoder:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "No such video.",
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param(b'{"type": "urn:a:b:not-found", "detail": "No video."}', "No video. [not-found]", id="a problem"),
        pytest.param(b'{"type": "about", "detail": "No video."}', "No video. [about]", id="a type without a colon"),
        pytest.param(b'{"detail": "No video."}', '{"detail": "No video."}', id="no type"),
        pytest.param(b"[]", "[]", id="another document"),
        pytest.param(b"[" * 100_000, "[" * 200, id="a deep one"),
        pytest.param(b" <html>\xff ", "<html>\N{REPLACEMENT CHARACTER}", id="no document"),
        pytest.param(b"x" * 201, "x" * 200, id="a long one"),
        pytest.param(b" \n", "no details were given.", id="white space"),
        pytest.param(b"", "no details were given.", id="nothing"),
    ],
)
def test_an_error_is_a_sentence(body: bytes, sentence: str) -> None:
    assert problem_sentence(body) == sentence
