"""A failure never looks like success, whatever is wrong with a source: not in the exit code, the file, or the transfer."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.leaks import children, connections_to
from peers.origin import Origin, Request, Rule, garbage, html
from peers.running_emulator import curl, emulated

from transcoder.emulator import Options, Running, StreamErrors

Fault = Callable[[Origin, str], None]
SEGMENTS = ["segment-0.ts", "segment-1.ts", "segment-2.ts"]


def missing(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(status=404)


def forbidden(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(status=403)


def random_bytes(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=garbage(length(origin, path)))


def random_bytes_in_the_middle(origin: Origin, path: str) -> None:
    whole = content(origin, path)
    third = len(whole) // 188 // 3 * 188
    origin.rules[path] = Rule(body=whole[:third] + garbage(third) + whole[2 * third :])


def web_page(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=html(length(origin, path)))


def truncated(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=content(origin, path)[: length(origin, path) // 2])


def always_cut(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(cut_after=1000)


def probes_the_end(request: Request) -> bool:
    """Tell whether a request probes the end of a segment, which happens before the response starts; the segment is fetched later."""
    return request.headers.get("range", "").startswith("bytes=-")


def empty(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=b"")


def content(origin: Origin, path: str) -> bytes:
    assert isinstance(origin.files, Path)
    return (origin.files / path.lstrip("/")).read_bytes()


def length(origin: Origin, path: str) -> int:
    return len(content(origin, path))


FAULTS = [missing, forbidden, random_bytes, random_bytes_in_the_middle, web_page, truncated, always_cut, empty]


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """An emulated function that may fetch from loopback; the parameter selects how its failed streams end."""
    options = Options(stream_errors=request.param, environ={"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ATTEMPTS": "2"})
    with emulated(options) as function:
        yield function


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_get_fails_and_leaves_no_file(
    fault: Fault, segment: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCODER_ATTEMPTS", "2")
    origin = serve(media("ts-muxed"))
    fault(origin, f"/{segment}")
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode in {3, 4, 5}, result.stderr.decode()
    assert result.stderr.decode().startswith("transcoder: ")
    assert b"Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def fetches_a_part(request: Request) -> bool:
    """Tell whether a request fetches the head or the end of a segment for a probe; the segment itself is fetched whole."""
    return "range" in request.headers


@pytest.mark.parametrize(
    ("name", "segment", "expected"),
    [
        pytest.param("ts-muxed", "/segment-1.ts", (4, "announces other streams"), id="in the middle"),
        pytest.param("join-ts", "/period1-0.ts", (3, "has no video"), id="at the beginning of a period that was probed with it"),
    ],
)
def test_a_segment_that_arrives_without_the_stream_of_its_track_is_refused(
    name: str, segment: str, expected: tuple[int, str], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media(name))
    origin.rules[segment] = [Rule(when=fetches_a_part), Rule(body=(media("ts-audio-only") / "segment-1.ts").read_bytes())]
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--mute")
    code, reason = expected
    assert (result.returncode, reason in result.stderr.decode()) == (code, True), result.stderr.decode()


@pytest.mark.parametrize("running", [StreamErrors.CUT, StreamErrors.CLEAN], indirect=True)
def test_download_of_a_faulty_source_is_never_whole(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    """Each fault in each segment gives either an error status before the first byte, or a body that is recognizably incomplete."""
    for fault in FAULTS:
        for segment in SEGMENTS:
            origin = serve(media("ts-muxed"))
            fault(origin, f"/{segment}")
            response = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
            if response.status != 200:
                assert response.headers["content-type"] == "application/problem+json", (fault, segment)
                assert response.status in {422, 500, 502, 504}
                continue
            (tmp_path / "output.mp4").write_bytes(response.body)
            assert not media_reader.is_whole(tmp_path / "output.mp4"), (fault, segment)


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
def test_curl_reports_a_transfer_error(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/segment-2.ts"] = [Rule(when=probes_the_end), Rule(delay=1.0, status=404)]
    response = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (response.status, response.exit_code) == (200, 18)
    origin.rules.clear()
    response = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (response.status, response.exit_code) == (200, 0)


@pytest.mark.parametrize("running", [StreamErrors.CLEAN], indirect=True)
def test_a_failed_stream_with_a_clean_end_has_no_index(
    running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/segment-2.ts"] = [Rule(when=probes_the_end), Rule(delay=1.0, status=404)]
    response = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (response.status, response.exit_code) == (200, 0)
    assert len(response.body) > 10_000
    (tmp_path / "output.mp4").write_bytes(response.body)
    assert not media_reader.is_whole(tmp_path / "output.mp4")


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"
BAD_SOURCES = [
    pytest.param("/none.m3u8", None, 502, "404", id="a missing playlist"),
    pytest.param("/page.m3u8", html(500), 422, "web page", id="a web page"),
    pytest.param("/empty.m3u8", b"", 502, "empty", id="an empty body"),
    pytest.param("/bare.m3u8", b"#EXTM3U\n", 422, "", id="a playlist without segments"),
    pytest.param("/live.m3u8", PLAYLIST, 422, "no end", id="no ENDLIST"),
    pytest.param("/noise.m3u8", garbage(500), 422, "", id="random bytes"),
    pytest.param("/text.m3u8", PLAYLIST + b"#EXT-X-ENDLIST\n", 502, "text", id="a segment that is text"),
]


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
def test_a_bad_source_gives_a_problem_document(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    for parameter in BAD_SOURCES:
        path, body, status, message = parameter.values
        origin = serve({str(path): bytes(body)} if isinstance(body, bytes) else {})
        if path == "/text.m3u8":
            origin.rules["/a.ts"] = Rule(body=b"<html>not here</html>")
        response = curl(tmp_path, f"{running.url}/download?url={origin.url(str(path))}")
        assert (response.exit_code, response.status) == (0, status), parameter.id
        assert response.headers["content-type"] == "application/problem+json"
        assert str(message) in response.body.decode(), parameter.id
    origin = serve(media("ts-muxed"))
    assert curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}").status == 200


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/download", 400),
        ("/download?url=nothing", 400),
        ("/download?url=ftp://a.example/v.m3u8", 400),
        ("/download?url=file:///etc/passwd", 400),
        ("/elsewhere", 404),
        ("/", 200),
        ("/health", 200),
    ],
)
def test_each_request_gets_its_status(running: Running, path: str, status: int, tmp_path: Path) -> None:
    response = curl(tmp_path, f"{running.url}{path}")
    assert (response.exit_code, response.status) == (0, status)
    assert len(response.body) > 0


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
@pytest.mark.parametrize("path", ["/download", "/prod/download", "/"])
def test_every_download_path_and_url_encoding_works(
    running: Running, path: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    for url in (
        origin.url("/main.m3u8"),
        origin.url("/main.m3u8?a=1&b=2"),
        origin.url("/main.m3u8").replace(":", "%3A").replace("/", "%2F"),
    ):
        response = curl(tmp_path, f"{running.url}{path}?url={url}")
        assert (response.exit_code, response.status) == (0, 200)
        assert response.headers["content-type"] == "video/mp4"
        assert response.headers["content-disposition"].startswith("attachment; filename=")
        (tmp_path / "output.mp4").write_bytes(response.body)
        assert media_reader.is_whole(tmp_path / "output.mp4")


def open_resources(pid: int, temp: Path, origins: list[Origin]) -> list[str]:
    """List the descriptors of another process by their targets, its child processes, and the files in its temporary folder.

    The connections to the origins are left out: they are kept for the next request.
    """
    # Every exchange with the Runtime API has its own connection, so the number of the waiting one differs each time.
    links = [re.sub(r"\d+", "N", str(entry.readlink())) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    for _ in range(connections_to(*origins)):
        links.remove("socket:[N]")
    return sorted([*links, *(f"child {child}" for child in children(pid)), *(str(path) for path in temp.rglob("*"))])


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the test reads another process's descriptors from /proc")
def test_no_invocation_leaks_a_process_a_descriptor_or_a_file(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    environ = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ATTEMPTS": "2", "TMPDIR": str(temp)}
    with emulated(Options(environ=environ)) as running:
        good = serve(media("ts-separate-audio"))
        url = f"{running.url}/download?url="
        assert curl(tmp_path, url + good.url("/main.m3u8")).exit_code == 0
        pid = running.pid
        assert pid is not None
        before = open_resources(pid, temp, [good])
        faulty = [serve(media("ts-muxed")) for _ in FAULTS]
        for fault, origin in zip(FAULTS, faulty, strict=True):
            fault(origin, "/segment-1.ts")
            curl(tmp_path, url + origin.url("/main.m3u8"))
        late, large = serve(media("ts-muxed")), serve(media("ts-large"))
        late.rules["/segment-2.ts"] = [Rule(when=probes_the_end), Rule(delay=1.0, status=404)]
        curl(tmp_path, url + late.url("/main.m3u8"))
        curl(tmp_path, url + large.url("/main.m3u8"), "--max-time", "1")
        assert curl(tmp_path, url + good.url("/main.m3u8")).exit_code == 0
        assert running.pid == pid
        after = open_resources(pid, temp, [good, *faulty, late, large])
    assert after == before
