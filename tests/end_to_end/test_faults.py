"""Whatever goes wrong with a source, a failure never looks like success: not in the exit code, the file, or the transport."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.leaks import children
from peers.origin import Origin, Request, Rule, garbage, html
from peers.running_emulator import curl, emulated

from transcoder.emulator import Options, Running, StreamErrors

Fault = Callable[[Origin, str], None]
SEGMENTS = ["film-0.ts", "film-1.ts", "film-2.ts"]


def missing(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(status=404)


def forbidden(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(status=403)


def random_bytes(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=garbage(length(origin, path)))


def random_in_the_middle(origin: Origin, path: str) -> None:
    whole = content(origin, path)
    third = len(whole) // 188 // 3 * 188
    origin.rules[path] = Rule(body=whole[:third] + garbage(third) + whole[2 * third :])


def web_page(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=html(length(origin, path)))


def truncated(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=content(origin, path)[: length(origin, path) // 2])


def cut_for_ever(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(cut_after=1000)


def asks_for_the_end(asked: Request) -> bool:
    """Tell the look at a segment's end, before the film begins, from the fetching of the segment."""
    return asked.headers.get("range", "").startswith("bytes=-")


def empty(origin: Origin, path: str) -> None:
    origin.rules[path] = Rule(body=b"")


def content(origin: Origin, path: str) -> bytes:
    assert isinstance(origin.files, Path)
    return (origin.files / path.lstrip("/")).read_bytes()


def length(origin: Origin, path: str) -> int:
    return len(content(origin, path))


FAULTS = [missing, forbidden, random_bytes, random_in_the_middle, web_page, truncated, cut_for_ever, empty]


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """An emulated function that may fetch from loopback; the parameter says how its failed streams look."""
    options = Options(stream_errors=request.param, environ={"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ATTEMPTS": "2"})
    with emulated(options) as now:
        yield now


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_get_fails_and_leaves_no_file(
    fault: Fault, segment: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCODER_ATTEMPTS", "2")
    origin = serve(media("ts-muxed"))
    fault(origin, f"/{segment}")
    done = get(origin.url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode in {3, 4, 5}, done.stderr.decode()
    assert done.stderr.decode().startswith("transcoder: ")
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("running", [StreamErrors.CUT, StreamErrors.CLEAN], indirect=True)
def test_download_never_ends_whole(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    """Each fault at each place: either an error status before the first byte, or a body that shows that it broke off."""
    for fault in FAULTS:
        for segment in SEGMENTS:
            origin = serve(media("ts-muxed"))
            fault(origin, f"/{segment}")
            got = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
            if got.status != 200:
                assert got.headers["content-type"] == "application/problem+json", (fault, segment)
                assert got.status in {422, 500, 502, 504}
                continue
            (tmp_path / "got.mp4").write_bytes(got.body)
            assert not media_reader.is_whole(tmp_path / "got.mp4"), (fault, segment)


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
def test_curl_reports_a_transfer_error(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/film-2.ts"] = [Rule(when=asks_for_the_end), Rule(delay=1.0, status=404)]
    got = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (got.status, got.exit_code) == (200, 18)
    origin.rules.clear()
    got = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (got.status, got.exit_code) == (200, 0)


@pytest.mark.parametrize("running", [StreamErrors.CLEAN], indirect=True)
def test_clean_end_of_a_failed_stream_has_no_index(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/film-2.ts"] = [Rule(when=asks_for_the_end), Rule(delay=1.0, status=404)]
    got = curl(tmp_path, f"{running.url}/download?url={origin.url('/main.m3u8')}")
    assert (got.status, got.exit_code) == (200, 0)
    assert len(got.body) > 10_000
    (tmp_path / "got.mp4").write_bytes(got.body)
    assert not media_reader.is_whole(tmp_path / "got.mp4")


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"
BAD_SOURCES = [
    pytest.param("/none.m3u8", None, 502, "404", id="no such playlist"),
    pytest.param("/page.m3u8", html(500), 422, "web page", id="a web page"),
    pytest.param("/empty.m3u8", b"", 502, "empty", id="nothing at all"),
    pytest.param("/bare.m3u8", b"#EXTM3U\n", 422, "", id="a playlist of nothing"),
    pytest.param("/live.m3u8", PLAYLIST, 422, "no end", id="no ENDLIST"),
    pytest.param("/noise.m3u8", garbage(500), 422, "", id="random bytes"),
    pytest.param("/text.m3u8", PLAYLIST + b"#EXT-X-ENDLIST\n", 502, "text", id="a segment of text"),
]


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
def test_bad_source_is_a_problem_with_a_sentence(running: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    for parameter in BAD_SOURCES:
        path, body, status, words = parameter.values
        origin = serve({str(path): bytes(body)} if isinstance(body, bytes) else {})
        if path == "/text.m3u8":
            origin.rules["/a.ts"] = Rule(body=b"<html>not here</html>")
        got = curl(tmp_path, f"{running.url}/download?url={origin.url(str(path))}")
        assert (got.exit_code, got.status) == (0, status), parameter.id
        assert got.headers["content-type"] == "application/problem+json"
        assert str(words) in got.body.decode(), parameter.id
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
        ("/", 400),
        ("/health", 200),
    ],
)
def test_answers_each_request_with_its_status(running: Running, path: str, status: int, tmp_path: Path) -> None:
    got = curl(tmp_path, f"{running.url}{path}")
    assert (got.exit_code, got.status) == (0, status)
    assert len(got.body) > 0


@pytest.mark.parametrize("running", [StreamErrors.CUT], indirect=True)
@pytest.mark.parametrize("path", ["/download", "/prod/download", "/"])
def test_serves_under_the_paths_that_sites_use(
    running: Running, path: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    for url in (
        origin.url("/main.m3u8"),
        origin.url("/main.m3u8?a=1&b=2"),
        origin.url("/main.m3u8").replace(":", "%3A").replace("/", "%2F"),
    ):
        got = curl(tmp_path, f"{running.url}{path}?url={url}")
        assert (got.exit_code, got.status) == (0, 200)
        assert got.headers["content-type"] == "video/mp4"
        assert got.headers["content-disposition"].startswith("attachment; filename=")
        (tmp_path / "got.mp4").write_bytes(got.body)
        assert media_reader.is_whole(tmp_path / "got.mp4")


def held_by(pid: int, temp: Path) -> list[str]:
    """Name what each descriptor of another process is, its child processes, and the files in its temporary folder."""
    # Every exchange with the Runtime API has a connection of its own, so the waiting one is another each time.
    links = [re.sub(r"\d+", "N", str(entry.readlink())) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return sorted([*links, *(f"child {child}" for child in children(pid)), *(str(path) for path in temp.rglob("*"))])


@pytest.mark.skipif(sys.platform != "linux", reason="reads another process's descriptors from /proc")
def test_no_invocation_leaves_a_process_a_descriptor_or_a_file(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    environ = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ATTEMPTS": "2", "TMPDIR": str(temp)}
    with emulated(Options(environ=environ)) as running:
        good = serve(media("ts-separate-audio"))
        url = f"{running.url}/download?url="
        assert curl(tmp_path, url + good.url("/main.m3u8")).exit_code == 0
        pid = running.pid
        assert pid is not None
        before = held_by(pid, temp)
        for fault in FAULTS:
            origin = serve(media("ts-muxed"))
            fault(origin, "/film-1.ts")
            curl(tmp_path, url + origin.url("/main.m3u8"))
        late = serve(media("ts-muxed"))
        late.rules["/film-2.ts"] = [Rule(when=asks_for_the_end), Rule(delay=1.0, status=404)]
        curl(tmp_path, url + late.url("/main.m3u8"))
        curl(tmp_path, url + serve(media("ts-large")).url("/main.m3u8"), "--max-time", "1")
        assert curl(tmp_path, url + good.url("/main.m3u8")).exit_code == 0
        assert running.pid == pid
        after = held_by(pid, temp)
    assert after == before
