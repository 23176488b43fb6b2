"""`transcoder invoke --progress` and `get --via … --progress`: the reports are shown, and only a whole MP4 is kept."""

import os
import pty
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import started
from peers.origin import GOOD, Origin, Request, Rule
from peers.running_emulator import SECONDS, emulated
from peers.source_files import files_in

from transcoder.cli import main
from transcoder.emulator import Options, Running, StreamErrors

Media = Callable[[str], Path]
SLOW = {"TRANSCODER_CONNECTIONS": "1", "TRANSCODER_AHEAD_BYTES": "1"}
ENVIRON = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_RETRY_SECONDS": "0.01", **SLOW}
LINE = re.compile(r"([\d.]+) of ([\d.]+) s, ([\d.]+) .*MB")


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with emulated(Options(environ=ENVIRON)) as running:
        yield running


@pytest.fixture
def origin(media: Media, serve: Serve) -> Origin:
    origin = serve(files_in(media("ts-muxed")))
    origin.decide = lambda request, _earlier: Rule(delay=1.1) if request.path.endswith(".ts") else GOOD
    return origin


def by_sdk(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--function", "transcoder", "--endpoint-url", running.url]


def by_http(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--url", running.url]


def by_get(running: Running, url: str) -> list[str]:
    return ["get", url, "--via", running.url]


every_way = pytest.mark.parametrize("way", [by_sdk, by_http, by_get])
Way = Callable[[Running, str], list[str]]


@every_way
def test_reports_are_shown_and_the_mp4_is_kept(
    way: Way, service: Running, origin: Origin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "video.mp4"
    assert main([*way(service, origin.url("/main.m3u8")), "--progress", "-o", str(output)]) == 0
    assert media_reader.is_whole(output)
    assert not media_reader.is_fragmented(output)
    reports = [[float(number) for number in found.groups()] for found in LINE.finditer(capsys.readouterr().err)]
    assert len(reports) >= 3
    assert reports == sorted(reports)
    assert reports[0][2] == 0.0
    assert 0 < reports[-1][2] * 1e6 <= origin.sent + 50_000


def test_a_terminal_shows_a_bar(service: Running, origin: Origin, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [*by_http(service, origin.url("/main.m3u8")), "--progress", "-o", str(tmp_path / "video.mp4")]
    with started(*command, errors=follower) as process:
        os.close(follower)
        shown = b""
        while piece := _read(leader):
            shown += piece
        assert process.end().returncode == 0
    os.close(leader)
    assert re.search(rb"\d %.* MB, .* left", shown)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other end was closed
        return b""


@every_way
def test_a_failure_after_reports_leaves_no_file(
    way: Way, service: Running, origin: Origin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == "/segment-2.ts" and "range" not in request.headers:
            return Rule(status=404)
        return Rule(delay=1.1) if request.path.endswith(".ts") else GOOD

    origin.decide = decide
    assert main([*way(service, origin.url("/main.m3u8")), "--progress", "-o", str(tmp_path / "video.mp4")]) == 7
    shown = capsys.readouterr().err
    assert len(LINE.findall(shown)) >= 2
    assert "[upstream-failed]" in shown
    assert not list(tmp_path.iterdir())


def test_a_map_needs_no_reports(service: Running, media: Media, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(media("fmp4-separate-audio")).url("/main.m3u8")
    assert main([*by_http(service, url), "--progress", "-o", str(tmp_path / "video.mp4")]) == 0
    assert media_reader.is_whole(tmp_path / "video.mp4")
    # The only line is about what is fetched, which here is one range.
    assert [found.groups()[:2] for found in LINE.finditer(capsys.readouterr().err)] == [("6.0", "6.0")]


def test_nothing_is_reported_of_a_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--via", "http://127.0.0.1:9", "--progress", "--layout", "fragmented", "-o", str(tmp_path / "video.mp4")]
    assert main(["get", "http://127.0.0.1:9/main.m3u8", *words]) == 2
    assert "--progress: a fragmented MP4 is streamed while it is made" in capsys.readouterr().err


@pytest.mark.parametrize("errors", [StreamErrors.CUT, StreamErrors.CLEAN])
def test_a_function_that_dies_while_it_makes_the_mp4_is_a_failure(errors: StreamErrors, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(files_in(media("ts-muxed")))
    origin.rules["/segment-1.ts"] = Rule(stall_after=1000)
    options = Options(environ={**ENVIRON, "TRANSCODER_DEADLINE_MARGIN_SECONDS": "0"}, stream_errors=errors, timeout_seconds=4.0)
    with emulated(options) as running:
        assert main([*by_http(running, origin.url("/main.m3u8")), "--progress", "-o", str(tmp_path / "video.mp4")]) == 7
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def whole(service: Running, media: Media) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a response with reports."""
    from peers.origin import origin as open_origin  # noqa: PLC0415

    with open_origin(files_in(media("ts-muxed"))) as source:
        query = {"layout": "plain", "url": source.url("/main.m3u8")}
        response = httpx.get(f"{service.url}/download", params=query, headers={"accept": "multipart/mixed"}, timeout=SECONDS)
    return response.headers["content-type"], response.content


def changed_length(body: bytes, by: int) -> bytes:
    """Change the Content-Length of the MP4."""
    at = body.rindex(b"content-length: ") + len(b"content-length: ")
    end = body.index(b"\r\n", at)
    return body[:at] + str(int(body[at:end]) + by).encode() + body[end:]


DAMAGES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("no closing boundary", lambda body: body[: body.rindex(b"\r\n--")]),
    ("cut in the MP4", lambda body: body[: len(body) // 2]),
    ("cut behind the reports", lambda body: body[: body.index(b"video/mp4")]),
    ("no MP4", lambda body: body[: body.rindex(b"--", 0, body.index(b"video/mp4"))] + body[body.rindex(b"--", 0, -6) :]),
    ("a byte less", lambda body: changed_length(body, -1)),
    ("a byte more", lambda body: changed_length(body, 1)),
    ("a hole", lambda body: changed_length(body[: len(body) // 2] + body[len(body) // 2 + 1000 :], -1000)),
    ("twice", lambda body: body[: body.rindex(b"--", 0, -4)] + body[body.rindex(b"--", 0, body.index(b"video/mp4")) :]),
    ("no length", lambda body: body.replace(b"content-length", b"x-other-length")),
    ("an empty body", lambda _body: b"\r\n"),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGES, ids=[name for name, _ in DAMAGES])
def test_a_response_that_ends_cleanly_but_is_not_whole_fails(
    name: str, damage: Callable[[bytes], bytes], whole: tuple[str, bytes], serve: Serve, tmp_path: Path
) -> None:
    content_type, body = whole
    function = serve({"/download": b""})
    for sent, code in ((body, 0), (damage(body), 7)):
        function.rules["/download"] = Rule(body=sent, headers={"Content-Type": content_type}, ignore_range=True)
        output = tmp_path / f"{name}.mp4"
        command = ["invoke", "http://a.example/main.m3u8", "--url", function.url(""), "--progress", "-o", str(output), "--force"]
        assert main(command) == code
        assert output.exists() is (code == 0)
        output.unlink(missing_ok=True)
    assert not list(tmp_path.iterdir())


def test_a_transfer_that_breaks_off_fails(whole: tuple[str, bytes], serve: Serve, tmp_path: Path) -> None:
    content_type, body = whole
    function = serve({"/download": b""})
    headers = {"Content-Type": content_type}
    function.rules["/download"] = Rule(body=body, headers=headers, ignore_range=True, cut_after=len(body) - 3)
    command = ["invoke", "http://a.example/main.m3u8", "--url", function.url(""), "--progress", "-o", str(tmp_path / "video.mp4")]
    assert main(command) == 7
    assert not list(tmp_path.iterdir())
