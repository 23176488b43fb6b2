"""Files in the bucket through the emulator: curl follows and resumes, so do the commands, and a process that is killed leaves no object."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import LargeSource, Serve
from peers import command_line, media_reader
from peers.origin import GOOD, Origin, Rule
from peers.origin import Request as OriginRequest
from peers.running_emulator import SECONDS, emulated, http
from peers.storage import Fault, Storage, refuse, storage

from transcoder.cli import main
from transcoder.emulator import Options, Running

Media = Callable[[str], Path]
Way = Callable[[Running, str], list[str]]


@pytest.fixture(scope="module")
def served() -> Iterator[Storage]:
    with storage() as found:
        yield found


@pytest.fixture
def s3(served: Storage) -> Storage:
    served.clear()
    return served


@contextmanager
def function(s3: Storage, *, stops: bool = False, timeout: float = 900.0, **environ: str) -> Iterator[Running]:
    merged = {**os.environ, **s3.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_RETRY_SECONDS": "0.01", **environ}
    with emulated(Options(environ=merged, stop_on_disconnect=stops, timeout_seconds=timeout)) as running:
        yield running


@pytest.fixture(scope="module")
def service(served: Storage) -> Iterator[Running]:
    with function(served) as running:
        yield running


@pytest.fixture
def origin(large_source: LargeSource, serve: Serve) -> Origin:
    """A source whose file is uploaded in three parts, and fetched in three."""
    return serve(large_source(7))


@pytest.fixture
def long_origin(large_source: LargeSource, serve: Serve) -> Origin:
    """A source whose file is uploaded in four parts: one is there before its last segment."""
    return serve(large_source(8))


def address(running: Running, origin: Origin, path: str = "/download") -> str:
    return f"{running.url}{path}?deliver=s3&url={origin.url('/main.m3u8')}"


def hold(origin: Origin) -> None:
    """Let the origin stop in the last segment."""

    def decide(request: OriginRequest, _earlier: int) -> Rule:
        return Rule(stall_after=1000) if request.path == "/segment-7.ts" and "range" not in request.headers else GOOD

    origin.decide = decide


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fetch_with_curl(*arguments: str | Path) -> None:
    program = shutil.which("curl") or pytest.skip("curl is not installed")
    subprocess.run([program, *arguments], check=True, timeout=SECONDS)


def test_curl_follows_the_redirect_and_resumes(service: Running, origin: Origin, s3: Storage, tmp_path: Path) -> None:
    url, output = address(service, origin), tmp_path / "video.mp4"
    fetch_with_curl("-sSfL", "-r", "0-999999", "-o", output, url)
    assert output.stat().st_size == 1_000_000
    fetch_with_curl("-sSfL", "-C", "-", "-o", output, url)
    assert s3.counts["UploadPart"] == 3
    assert media_reader.is_whole(output)
    fragmented = tmp_path / "fragmented.mp4"
    fetch_with_curl("-sSf", "-o", fragmented, url.replace("deliver=s3", "layout=fragmented"))
    assert media_reader.hashes(output) == media_reader.hashes(fragmented)


def test_a_process_that_is_killed_leaves_parts_and_no_object(long_origin: Origin, s3: Storage) -> None:
    hold(long_origin)
    with function(s3, TRANSCODER_AHEAD_BYTES="1000000") as running:
        errors: list[int] = []
        thread = threading.Thread(target=lambda: errors.append(http.get(address(running, long_origin)).status_code))
        thread.start()
        wait_for(lambda: s3.counts["UploadPart"] > 0)
        time.sleep(0.5)
        pid = running.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        thread.join()
    assert errors == [502]
    assert (s3.keys, len(s3.uploads), s3.counts["AbortMultipartUpload"]) == ([], 1, 0)


@pytest.mark.parametrize("path", ["/download", "/events"])
def test_an_upload_is_aborted_before_the_deadline(path: str, long_origin: Origin, s3: Storage) -> None:
    hold(long_origin)
    with function(s3, timeout=9.0, TRANSCODER_AHEAD_BYTES="1000000") as running:
        response = http.get(address(running, long_origin, path))
        assert (response.status_code, "urn:problem-type:transcoder:deadline" in response.text) == (
            504 if path == "/download" else 200,
            True,
        )
        pid = running.pid
        assert http.get(f"{running.url}/health").status_code == 200
        assert running.pid == pid
    assert s3.counts["UploadPart"] > 0
    assert (s3.keys, s3.uploads) == ([], [])


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("path", ["/events", "/download"])
def test_a_client_that_leaves_stops_the_upload_only_where_that_is_asked_for(
    path: str, *, stops: bool, long_origin: Origin, s3: Storage
) -> None:
    """A download is made in silence: nothing is sent that could fail."""
    hold(long_origin)
    with function(s3, stops=stops, TRANSCODER_AHEAD_BYTES="1000000") as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), SECONDS) as client:
            client.sendall(f"GET {address(running, long_origin, path).removeprefix(running.url)} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            wait_for(lambda: s3.counts["UploadPart"] > 0)
            pid = running.pid
        if stops:
            wait_for(lambda: running.pid != pid and not s3.uploads)
        else:
            time.sleep(3.0)
        assert (s3.keys, len(s3.uploads), s3.counts["AbortMultipartUpload"] > 0) == ([], int(not stops), stops)
        assert (running.pid == pid) is not stops
        if stops:
            long_origin.decide = lambda _request, _earlier: GOOD
            assert http.get(address(running, long_origin)).status_code == 303


def test_the_function_goes_on_after_storage_that_failed(service: Running, origin: Origin, s3: Storage) -> None:
    s3.decide = refuse("UploadPart")
    assert http.get(address(service, origin)).status_code == 507
    pid = service.pid
    s3.clear()
    assert http.get(address(service, origin)).status_code == 303
    assert service.pid == pid


PROGRESS = ["--progress"]
"""Without it, the function is asked for the file itself, and redirects."""


def by_sdk(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--function", "transcoder", "--endpoint-url", running.url]


def by_http(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--url", running.url]


def by_get(running: Running, url: str) -> list[str]:
    return ["get", url, "--via", running.url]


@pytest.mark.parametrize(("way", "progress"), [(by_sdk, []), (by_http, PROGRESS), (by_get, []), (by_get, PROGRESS)])
def test_the_commands_fetch_the_file_from_the_bucket(
    way: Way, progress: list[str], service: Running, origin: Origin, s3: Storage, tmp_path: Path
) -> None:
    output = tmp_path / "video.mp4"
    command = [*way(service, origin.url("/main.m3u8")), "--deliver", "s3", *progress, "-o", str(output)]
    done = command_line.run(*command)
    assert done.returncode == 0
    assert media_reader.is_whole(output)
    assert not media_reader.is_fragmented(output)
    assert (len(s3.keys), s3.counts["GetObject"]) == (1, 3)
    assert (re.search(rb"\d of \d", done.stderr) is not None) is bool(progress)


@pytest.mark.parametrize(("number", "progress"), [(0, []), (1, PROGRESS)], ids=["redirect", "events"])
def test_a_passing_failure_of_the_bucket_is_retried_by_the_commands(
    number: int, progress: list[str], service: Running, origin: Origin, s3: Storage, tmp_path: Path
) -> None:
    s3.decide = lambda asked, earlier: Fault(status=503, code="SlowDown") if (asked, earlier) == ("GetObject", number) else None
    output = tmp_path / "video.mp4"
    command = [*by_get(service, origin.url("/main.m3u8")), "--deliver", "s3", *progress, "-o", str(output)]
    assert command_line.run(*command).returncode == 0
    assert media_reader.is_whole(output)
    assert s3.counts["GetObject"] == 4


@pytest.mark.parametrize(("number", "progress"), [(0, []), (1, PROGRESS)], ids=["redirect", "events"])
def test_a_link_that_has_expired_is_made_anew(
    number: int, progress: list[str], service: Running, origin: Origin, s3: Storage, tmp_path: Path
) -> None:
    s3.decide = lambda asked, earlier: Fault(403, "AccessDenied") if (asked, earlier) == ("GetObject", number) else None
    output = tmp_path / "video.mp4"
    command = [*by_get(service, origin.url("/main.m3u8")), "--deliver", "s3", *progress, "-o", str(output)]
    assert command_line.run(*command).returncode == 0
    assert media_reader.is_whole(output)
    assert (s3.counts["GetObject"], s3.counts["CreateMultipartUpload"], len(s3.keys)) == (4, 1, 1)


@pytest.mark.parametrize("progress", [[], PROGRESS], ids=["redirect", "events"])
def test_a_failure_leaves_no_file_of_the_commands(
    progress: list[str], service: Running, origin: Origin, s3: Storage, tmp_path: Path
) -> None:
    command = [*by_get(service, origin.url("/main.m3u8")), "--deliver", "s3", *progress, "-o", str(tmp_path / "video.mp4")]
    for refused, told in (("CompleteMultipartUpload", b"no-storage"), ("GetObject", b"403")):
        s3.clear()
        s3.decide = refuse(refused)
        done = command_line.run(*command)
        assert (done.returncode, told in done.stderr, list(tmp_path.iterdir())) == (7, True, [])


def test_a_file_on_this_machine_is_not_delivered(origin: Origin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", origin.url("/main.m3u8"), "--deliver", "s3", "-o", str(tmp_path / "video.mp4")]) == 2
    assert "--via" in capsys.readouterr().err
