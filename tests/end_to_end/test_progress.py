"""Progress through the emulator: parts and events arrive when they are made, and a client that leaves, a limit or the deadline end them."""

import email
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Serve
from peers import media_reader
from peers.origin import GOOD, Origin, Rule
from peers.running_emulator import SECONDS, emulated, http
from peers.source_files import files_in

from transcoder.emulator import Options, Running

Media = Callable[[str], Path]
REPORTED = {"accept": "multipart/mixed"}


@contextmanager
def function(*, timeout: float = 900.0, stops: bool = False, **environ: str) -> Iterator[Running]:
    slow = {"TRANSCODER_CONNECTIONS": "1", "TRANSCODER_AHEAD_BYTES": "1"}
    merged = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", **slow, **environ}
    with emulated(Options(environ=merged, timeout_seconds=timeout, stop_on_disconnect=stops)) as running:
        yield running


@pytest.fixture(scope="module")
def usual() -> Iterator[Running]:
    with function() as running:
        yield running


@pytest.fixture
def origin(media: Media, serve: Serve) -> Origin:
    origin = serve(files_in(media("ts-muxed")))
    origin.decide = lambda request, _earlier: Rule(delay=1.2) if request.path.endswith(".ts") else GOOD
    return origin


def address(running: Running, origin: Origin, path: str = "/download") -> str:
    return f"{running.url}{path}?layout=plain&url={origin.url('/main.m3u8')}"


def parts_of(response: httpx.Response, body: bytes) -> list[Any]:
    message: Any = email.message_from_bytes(f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode() + body)
    assert not message.defects
    return list(message.get_payload())


def test_parts_arrive_while_the_mp4_is_made(usual: Running, origin: Origin, tmp_path: Path) -> None:
    pieces: list[tuple[float, int]] = []
    body = bytearray()
    with httpx.stream("GET", address(usual, origin), headers=REPORTED, timeout=SECONDS) as response:
        for piece in response.iter_raw():
            pieces.append((time.monotonic(), origin.sent))
            body += piece
    *reports, file = parts_of(response, bytes(body))
    documents = [json.loads(part.get_payload(decode=True)) for part in reports]
    assert [document["event"] for document in documents[:2]] == ["resolved", "progress"]
    assert len(documents) >= 3
    assert pieces[-1][0] - pieces[0][0] >= 2.0
    # What a report says had been received when it arrived, less what the connection has taken of the next segment.
    for document, (_, sent) in zip(documents, pieces, strict=False):
        assert document.get("bytes", 0) <= sent
    (tmp_path / "video.mp4").write_bytes(file.get_payload(decode=True))
    assert media_reader.is_whole(tmp_path / "video.mp4")


def test_the_deadline_is_the_last_part(origin: Origin) -> None:
    origin.decide = lambda request, _earlier: Rule(stall_after=1000) if request.path == "/segment-1.ts" else GOOD
    with function(timeout=6.0, TRANSCODER_DEADLINE_MARGIN_SECONDS="2") as running:
        assert http.get(f"{running.url}/health").status_code == 200
        pid = running.pid
        response = http.get(address(running, origin), headers=REPORTED)
        *_, failed = parts_of(response, response.content)
        assert json.loads(failed.get_payload(decode=True))["type"] == "urn:problem-type:transcoder:deadline"
        assert http.get(f"{running.url}/health").status_code == 200
        assert running.pid == pid


def test_a_response_over_its_limit_is_the_last_part(origin: Origin) -> None:
    with function(TRANSCODER_RESPONSE_LIMIT="300000") as running:
        response = http.get(address(running, origin), headers=REPORTED)
    *_, failed = parts_of(response, response.content)
    assert json.loads(failed.get_payload(decode=True))["type"] == "urn:problem-type:transcoder:too-large"


@pytest.mark.long
@pytest.mark.parametrize("stops", [True, False])
def test_a_client_that_leaves_stops_the_job_only_where_that_is_asked_for(*, stops: bool, media: Media, serve: Serve) -> None:
    origin = serve(media("ts-long"))
    origin.decide = lambda request, _earlier: Rule(delay=1.1) if request.path.endswith(".ts") else GOOD
    with function(stops=stops) as running:
        with httpx.stream("GET", address(running, origin), headers=REPORTED, timeout=SECONDS) as response:
            next(response.iter_raw())
        time.sleep(8.0)  # the kernel says it at the second report after that
        before = len(origin.requests)
        time.sleep(2.5)
        assert (len(origin.requests) == before) is stops


class EventSource:
    """Asks as the HTML standard says: again after each end, with the id of the last event, until a response has another status than 200."""

    def __init__(self, url: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self._url = url
        self._last_id = ""

    def run(self) -> None:
        while not self.statuses or self.statuses[-1] == 200:
            headers = {"accept": "text/event-stream"} | ({"last-event-id": self._last_id} if self._last_id else {})
            with httpx.stream("GET", self._url, headers=headers, timeout=SECONDS) as response:
                self.statuses.append(response.status_code)
                for line in response.iter_lines():
                    self._take(line)

    def _take(self, line: str) -> None:
        name, _, text = line.partition(": ")
        if name == "id":
            self._last_id = text
        elif name == "data":
            self.events.append(json.loads(text))


def test_an_event_source_asks_once(usual: Running, origin: Origin) -> None:
    source = EventSource(address(usual, origin, "/events"))
    source.run()
    assert source.statuses == [200, 204]
    assert [event["event"] for event in source.events] == ["resolved", "done"]
    response = http.get(usual.url + source.events[-1]["download"], headers={"accept": source.events[-1]["accept"]})
    assert parts_of(response, response.content)[-1].get_content_type() == "video/mp4"


def test_other_sites_may_read_events(usual: Running, media: Media, serve: Serve) -> None:
    url, asked = address(usual, serve(media("ts-muxed")), "/events"), {"origin": "https://a.example"}
    wanted = {**asked, "access-control-request-method": "GET", "access-control-request-headers": "last-event-id"}
    preflight = httpx.options(url, headers=wanted, timeout=SECONDS)
    assert "last-event-id" in preflight.headers["access-control-allow-headers"]
    assert http.get(url, headers=asked).headers["access-control-allow-origin"] == "*"
