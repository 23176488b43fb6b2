"""What a function responded is a whole MP4 with the duration that it announced, or there is a reason why not."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from peers.application import ask
from peers.plain_files import index_of, part_of

from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.output.announcement import Announcement
from transcoder.errors import InvocationError
from transcoder.pipeline.mp4_receiver import Mp4Receiver, ReceivedMp4
from transcoder.settings import Settings

Media = Callable[[str], Path]


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.body = bytearray()

    async def start(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    async def write(self, chunk: bytes) -> None:
        self.body += chunk


def received(body: bytes, headers: Mapping[str, str], *, status: int = 200, into: Kept | None = None, ago: float = 0.0) -> ReceivedMp4:
    async def run() -> ReceivedMp4:
        receiver = Mp4Receiver(into or Kept(), requested_at=time.monotonic() - ago)
        await receiver.start(ReceivedHead(status, dict(headers)))
        for at in range(0, len(body), 50_000):
            await receiver.write(body[at : at + 50_000])
        return receiver.finish()

    return asyncio.run(run())


@pytest.fixture
def fragmented(media: Media, serve: Serve) -> tuple[bytes, dict[str, str]]:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    answer = ask(f"/download?layout=fragmented&url={url}", settings=Settings(allow_private=True))
    return bytes(answer.body), answer.headers


def test_a_whole_mp4_is_passed_on_and_timed(fragmented: tuple[bytes, dict[str, str]]) -> None:
    body, headers = fragmented
    sink = Kept()
    found = received(body, {**headers, "x-content-length-estimate": "123"}, into=sink, ago=5.0)
    assert bytes(sink.body) == body
    assert [(each.seconds, each.estimated_bytes) for each in sink.announced] == [(float(headers["x-content-duration"]), 123)]
    assert 5.0 <= found.first_byte_seconds <= found.total_seconds < 15.0
    assert found.whole.length == len(body)
    assert str(found).startswith(f"whole: {found.whole.sent:.3f} s in {len(body)} bytes and {found.whole.fragments} fragments; first byte")
    assert f"{len(body) / found.total_seconds / 1e6:.1f} MB/s" in str(found)


def test_the_clock_begins_when_the_request_is_sent(fragmented: tuple[bytes, dict[str, str]]) -> None:
    body, headers = fragmented

    async def run() -> ReceivedMp4:
        receiver = Mp4Receiver(Kept(), requested_at=time.monotonic() - 1000)
        receiver.request_started()
        await receiver.start(ReceivedHead(200, dict(headers)))
        await receiver.write(body)
        return receiver.finish()

    found = asyncio.run(run())
    assert 0.0 <= found.first_byte_seconds <= found.total_seconds < 500.0


@pytest.mark.parametrize("difference", [0.0, 0.009, -0.009, 0.011, -0.011])
def test_the_announced_duration_is_that_of_the_header(difference: float, fragmented: tuple[bytes, dict[str, str]]) -> None:
    body, headers = fragmented
    announced = received(body, headers).whole.announced + difference
    if abs(difference) < 0.01:
        received(body, {"x-content-duration": f"{announced:.6f}"})
        return
    with pytest.raises(InvocationError, match=rf"X-Content-Duration says {announced:.3f} s"):
        received(body, {"x-content-duration": f"{announced:.6f}"})


def test_a_part_is_not_whole(fragmented: tuple[bytes, dict[str, str]]) -> None:
    body, headers = fragmented
    for kept in (len(body) - 1, len(body) // 2, 0):
        with pytest.raises(InvocationError, match="not a whole MP4"):
            received(body[:kept], headers)
    with pytest.raises(InvocationError, match="not a whole MP4"):
        received(b"<html>" + bytes(1000), headers)


def test_a_plain_mp4_has_the_length_that_is_announced(media: Media, serve: Serve) -> None:
    file = index_of(serve(media("fmp4-muxed")).url("/main.m3u8")).file
    body, headers = part_of(file), {"x-content-duration": f"{file.movie.seconds:.3f}", "x-content-length": str(file.length)}
    sink = Kept()
    assert received(body, headers, into=sink).whole.length == file.length
    assert [each.estimated_bytes for each in sink.announced] == [file.length]
    assert "fragments" not in str(received(body, headers))
    for changed in (body[:-1], body + b"\0"):
        with pytest.raises(InvocationError, match="not a whole MP4"):
            received(changed, headers)


@pytest.mark.parametrize("headers", [{}, {"x-content-duration": "long"}], ids=["missing", "no number"])
def test_a_response_without_a_duration_is_none_of_ours(headers: Mapping[str, str]) -> None:
    with pytest.raises(InvocationError, match="does not announce its duration"):
        received(b"", headers)


def test_an_error_is_told_with_its_sentence() -> None:
    sink = Kept()
    with pytest.raises(InvocationError, match=r"responded with 404.*no such film"):
        received(b'{"detail": "There is no such film.", "type": "x"}', {}, status=404, into=sink)
    assert (sink.announced, bytes(sink.body)) == ([], b"")


def test_no_response_is_a_failure() -> None:
    with pytest.raises(InvocationError, match="sent no response"):
        Mp4Receiver(Kept()).finish()
