"""`transcoder invoke` and event streams that no emulator would send: cut, damaged, without their end."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from transcoder.cli import main
from transcoder.emulator.event_stream import invoke_complete, payload_chunk

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n"
PRELUDE = json.dumps({"statusCode": 200, "headers": {"content-type": "video/mp4", "x-content-duration": "1.0"}}).encode() + b"\0" * 8


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """Answer one request with `raw`, whatever it is, and close."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            head, _, body = asked.partition(b"\r\n\r\n")
            length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            while len(body) < length:
                body += connection.recv(65536)
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def sized(body: bytes, *, more: int = 0) -> bytes:
    """Put a header before `body`, that promises so many bytes more."""
    return HEAD + b"content-length: %d\r\n\r\n" % (len(body) + more) + body


def chunked(body: bytes) -> bytes:
    """Send `body` as a chunk, and not the last one."""
    return HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


FRAME = payload_chunk(PRELUDE + b"abc")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(sized(payload_chunk(PRELUDE)), "without InvokeComplete", id="no end"),
        pytest.param(sized(b""), "without InvokeComplete", id="nothing"),
        pytest.param(sized(payload_chunk(PRELUDE), more=100), "the response is incomplete", id="cut short of its length"),
        pytest.param(chunked(payload_chunk(PRELUDE)), "broke off", id="cut between chunks"),
        pytest.param(sized(FRAME[:-9] + b"xxxxx" + FRAME[-4:]), "is damaged", id="a frame with another checksum"),
        pytest.param(sized(invoke_complete()), "ended before its prelude", id="an end and nothing before it"),
        pytest.param(sized(payload_chunk(PRELUDE[:20]) + invoke_complete()), "ended before its prelude", id="half a prelude"),
        pytest.param(sized(payload_chunk(b"x" * 20_000)), "no prelude in its first 16384 bytes", id="no prelude"),
        pytest.param(sized(payload_chunk(b"[]" + b"\0" * 8)), "prelude is not valid", id="a prelude that is none"),
        pytest.param(sized(payload_chunk(PRELUDE) + invoke_complete("Unhandled", "words")), "Unhandled: words", id="an error code"),
        pytest.param(sized(payload_chunk(PRELUDE + b"no film at all") + invoke_complete()), "no whole film", id="no film"),
        pytest.param(sized(payload_chunk(PRELUDE) + invoke_complete()), "no whole film", id="an empty film"),
        pytest.param(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\n{}", "500", id="a status"),
        pytest.param(b"no HTTP at all\r\n\r\n", "transcoder: ", id="no HTTP"),
        pytest.param(b"", "transcoder: ", id="silence"),
    ],
)
def test_a_stream_that_is_not_whole_fails(raw: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(raw) as url:
        words = ["invoke", "--function", "transcoder", "--endpoint-url", url, "http://a.example/a.m3u8", "-o", str(tmp_path / "ours.mp4")]
        assert main(words) == 7
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
