"""The prelude of a streamed response, which may arrive in any pieces."""

import pytest

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES, PRELUDE_END
from transcoder.core.answer.prelude import PreludeReader
from transcoder.errors import InvocationError

HEAD = b'{"statusCode": 404, "headers": {"Content-Type": "a/b"}}'


@pytest.mark.parametrize("cut", [0, 10, len(HEAD), len(HEAD) + 4, len(HEAD) + 8, len(HEAD) + 9])
def test_what_follows_the_prelude_is_the_body(cut: int) -> None:
    reader, whole = PreludeReader(), HEAD + PRELUDE_END + b"body"
    assert reader.feed(whole[:cut]) + reader.feed(whole[cut:]) + reader.feed(b" and more") == b"body and more"
    assert reader.head is not None
    assert (reader.head.status, reader.head.headers) == (404, {"content-type": "a/b"})


def test_a_prelude_is_limited() -> None:
    reader = PreludeReader()
    assert reader.feed(bytes([32]) * (MAX_PRELUDE_BYTES - 1)) == b""
    with pytest.raises(InvocationError, match=f"no prelude in its first {MAX_PRELUDE_BYTES} bytes"):
        reader.feed(b" ")
