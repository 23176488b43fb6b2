"""`transcoder invoke` with event streams that the emulator would not send: cut, damaged, or without InvokeComplete."""

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
def server_sending(raw: bytes) -> Iterator[str]:
    """Answer one request with the bytes `raw`, then close; yield the URL."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            while len(body) < length:
                body += connection.recv(65536)
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def sized(body: bytes, *, missing: int = 0) -> bytes:
    """Put headers before `body`, with a Content-Length that is `missing` bytes too large."""
    return HEAD + b"content-length: %d\r\n\r\n" % (len(body) + missing) + body


def chunked(body: bytes) -> bytes:
    """Put headers before `body`, which is one chunk, and leave out the last chunk."""
    return HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


FRAME = payload_chunk(PRELUDE + b"abc")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(sized(payload_chunk(PRELUDE)), "without InvokeComplete", id="no InvokeComplete"),
        pytest.param(sized(b""), "without InvokeComplete", id="no message"),
        pytest.param(sized(payload_chunk(PRELUDE), missing=100), "the response is incomplete", id="cut short of its length"),
        pytest.param(chunked(payload_chunk(PRELUDE)), "broke off", id="cut between chunks"),
        pytest.param(sized(FRAME[:-9] + b"xxxxx" + FRAME[-4:]), "is damaged", id="a message with a wrong checksum"),
        pytest.param(sized(invoke_complete()), "ended before its prelude", id="InvokeComplete alone"),
        pytest.param(sized(payload_chunk(PRELUDE[:20]) + invoke_complete()), "ended before its prelude", id="half a prelude"),
        pytest.param(sized(payload_chunk(b"x" * 20_000)), "no prelude in its first 16384 bytes", id="no prelude"),
        pytest.param(sized(payload_chunk(b"[]" + b"\0" * 8)), "prelude is not valid", id="a prelude that is no object"),
        pytest.param(sized(payload_chunk(PRELUDE) + invoke_complete("Unhandled", "words")), "Unhandled: words", id="an error code"),
        pytest.param(sized(payload_chunk(PRELUDE + b"not an MP4 at all") + invoke_complete()), "not a whole MP4", id="no MP4"),
        pytest.param(sized(payload_chunk(PRELUDE) + invoke_complete()), "not a whole MP4", id="an empty MP4"),
        pytest.param(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\n{}", "500", id="an HTTP error"),
        pytest.param(b"no HTTP at all\r\n\r\n", "transcoder: ", id="no HTTP"),
        pytest.param(b"", "transcoder: ", id="no response"),
    ],
)
def test_a_stream_that_is_not_whole_fails(raw: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server_sending(raw) as url:
        arguments = [
            "invoke",
            "--function",
            "transcoder",
            "--endpoint-url",
            url,
            "http://a.example/a.m3u8",
            "-o",
            str(tmp_path / "video.mp4"),
        ]
        assert main(arguments) == 7
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
