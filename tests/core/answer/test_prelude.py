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


def test_a_prelude_may_be_as_long_as_it_may_be() -> None:
    body = b'{"statusCode": 200}'.ljust(MAX_PRELUDE_BYTES - len(PRELUDE_END))
    for lasts in (0, 1):
        reader = PreludeReader()
        whole = body + b" " * lasts + PRELUDE_END
        if lasts:
            with pytest.raises(InvocationError, match="no prelude"):
                reader.feed(whole)
        else:
            assert reader.feed(whole) == b""
            assert reader.head is not None


@pytest.mark.parametrize(
    ("prelude", "status", "headers"),
    [(b"{}", 200, {}), (b'{"statusCode": 206, "headers": null}', 206, {}), (b'{"headers": {"A": 1}}', 200, {"a": "1"})],
)
def test_a_status_and_headers_may_be_missing(prelude: bytes, status: int, headers: dict[str, str]) -> None:
    reader = PreludeReader()
    assert reader.feed(prelude + PRELUDE_END) == b""
    assert reader.head is not None
    assert (reader.head.status, reader.head.headers) == (status, headers)


@pytest.mark.parametrize("prelude", [b"", b"{", b"7", b'{"statusCode": 1}', b'{"headers": 7}', b'{"statusCode": []}', b"[" * 10_000])
def test_a_prelude_that_is_none_is_refused(prelude: bytes) -> None:
    with pytest.raises(InvocationError, match="prelude is not valid"):
        PreludeReader().feed(prelude + PRELUDE_END)
