"""A plain MP4 over the emulated Function URL, with the programs that people download with."""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.nginx import NGINX, nginx
from peers.origin import Origin, Rule
from peers.running_emulator import SECONDS, curl, emulated, http
from peers.source_files import files_in
from peers.varnish import VARNISHD, varnish

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES
from transcoder.emulator import Options, Running

LIMIT = 400_000
SETTINGS = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_RETRY_SECONDS": "0.01"}


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with emulated(Options(environ=SETTINGS)) as running:
        yield running


@pytest.fixture(scope="module")
def limited() -> Iterator[Running]:
    """A function whose responses are shorter than the file."""
    with emulated(Options(environ=SETTINGS | {"TRANSCODER_RESPONSE_LIMIT": str(LIMIT + MAX_PRELUDE_BYTES)})) as running:
        yield running


@pytest.fixture
def origin(media: Callable[[str], Path], serve: Serve) -> Origin:
    return serve(files_in(media("fmp4-separate-audio")))


def address(running: Running | str, origin: Origin) -> str:
    base = running if isinstance(running, str) else running.url
    return f"{base}/download?layout=plain&url={origin.url('/main.m3u8')}"


def whole(running: Running, origin: Origin) -> bytes:
    response = http.get(address(running, origin))
    assert response.status_code == 200
    return response.content


def run(*command: str, folder: Path) -> int:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=SECONDS).returncode


def test_the_file_is_whole_and_plain(service: Running, origin: Origin, tmp_path: Path, media: Callable[[str], Path]) -> None:
    output = tmp_path / "output.mp4"
    output.write_bytes(whole(service, origin))
    folder = media("fmp4-separate-audio")
    sources = [media_reader.concatenate(folder / f"{name}.m3u8", tmp_path / f"{name}.mp4") for name in ("large", "audio")]
    assert media_reader.hashes(output) == media_reader.source_hashes(*sources)
    assert [kind for kind, _ in media_reader.boxes(output.read_bytes()) if kind in {"ftyp", "moov", "mdat", "moof"}] == [
        *("ftyp", "moov", "mdat")
    ]
    assert media_reader.decoded_counts(output)["video"] == 150


def test_the_command_line_makes_the_same_file(service: Running, origin: Origin, tmp_path: Path) -> None:
    assert get(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--layout", "plain").returncode == 0
    assert (tmp_path / "output.mp4").read_bytes() == whole(service, origin)


def test_the_command_line_leaves_nothing_of_a_file_whose_media_is_missing(origin: Origin, tmp_path: Path) -> None:
    path = sorted(path for path in origin.files if "large" in str(path) and str(path).endswith(".m4s"))[1]  # type: ignore[union-attr]
    origin.rules[str(path)] = [Rule(times=1), Rule(status=404)]
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--layout", "plain")
    assert (result.returncode, list(tmp_path.iterdir())) == (4, []), result.stderr


def test_random_ranges_are_parts_of_the_whole(service: Running, origin: Origin) -> None:
    data, chosen = whole(service, origin), random.Random(3)  # noqa: S311 - nothing secret
    for _ in range(25):
        start, stop = sorted(chosen.sample(range(len(data) + 1), 2))
        response = http.get(address(service, origin), headers={"Range": f"bytes={start}-{stop - 1}"})
        assert (response.status_code, response.content == data[start:stop]) == (206, True)


def test_head_has_the_length(service: Running, origin: Origin) -> None:
    response = http.head(address(service, origin))
    assert (response.status_code, response.headers["x-content-length"]) == (200, str(len(whole(service, origin))))
    other = http.get(address(service, origin), headers={"Origin": "https://example.com", "Range": "bytes=0-1"})
    assert "x-content-length" in other.headers["access-control-expose-headers"]


def test_a_416_has_a_body(service: Running, origin: Origin) -> None:
    response = http.get(address(service, origin), headers={"Range": "bytes=99999999-"})
    assert (response.status_code, response.json()["status"]) == (416, 416)


def test_curl_fetches_a_range_and_resumes(service: Running, origin: Origin, tmp_path: Path) -> None:
    data = whole(service, origin)
    assert curl(tmp_path, address(service, origin), "--range", "1000-1999").body == data[1000:2000]
    (tmp_path / "part.mp4").write_bytes(data[:123_456])
    command = ["curl", "--silent", "--fail", "-C", "-", "-o", "part.mp4", address(service, origin)]
    assert run(*command, folder=tmp_path) == 0
    assert (tmp_path / "part.mp4").read_bytes() == data


def test_wget_resumes(service: Running, origin: Origin, tmp_path: Path) -> None:
    data = whole(service, origin)
    (tmp_path / "part.mp4").write_bytes(data[:123_456])
    assert run("wget", "-q", "-c", "-O", "part.mp4", address(service, origin), folder=tmp_path) == 0
    assert (tmp_path / "part.mp4").read_bytes() == data


def test_aria2c_fetches_the_whole_file(service: Running, origin: Origin, tmp_path: Path) -> None:
    command = ["aria2c", "-q", "-x4", "-s4", "-o", "output.mp4", address(service, origin)]
    assert run(*command, folder=tmp_path) == 0
    assert (tmp_path / "output.mp4").read_bytes() == whole(service, origin)


def test_a_resumed_download_beyond_the_limit_fails_or_goes_on(service: Running, limited: Running, origin: Origin, tmp_path: Path) -> None:
    data = whole(service, origin)
    (tmp_path / "part.mp4").write_bytes(data[:1000])
    command = ["curl", "--silent", "--fail", "-C", "-", "-o", "part.mp4", address(limited, origin)]
    assert run(*command, folder=tmp_path) == 18
    assert (tmp_path / "part.mp4").read_bytes() == data[: 1000 + LIMIT]
    assert run(*command, folder=tmp_path) == 0
    assert (tmp_path / "part.mp4").read_bytes() == data


def test_wget_goes_on_beyond_the_limit_by_itself(service: Running, limited: Running, origin: Origin, tmp_path: Path) -> None:
    data = whole(service, origin)
    (tmp_path / "part.mp4").write_bytes(data[:1000])
    assert run("wget", "-q", "-c", "--waitretry=0", "-O", "part.mp4", address(limited, origin), folder=tmp_path) == 0
    assert (tmp_path / "part.mp4").read_bytes() == data


def test_a_whole_file_beyond_the_limit_is_refused(limited: Running, origin: Origin) -> None:
    response = http.get(address(limited, origin))
    assert (response.status_code, "get --via" in response.json()["detail"]) == (413, True)


def test_a_source_that_changes_breaks_the_response_off(service: Running, origin: Origin, tmp_path: Path) -> None:
    before = curl(tmp_path, address(service, origin))
    files = origin.files
    assert isinstance(files, dict)
    path = sorted(path for path in files if "large" in path and path.endswith(".m4s"))[1]
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])
    assert curl(tmp_path, address(service, origin)).exit_code == 18
    after = curl(tmp_path, address(service, origin))
    assert (after.exit_code, after.headers["etag"] != before.headers["etag"]) == (0, True)
    resumed = http.get(address(service, origin), headers={"Range": "bytes=5-", "If-Range": before.headers["etag"]})
    assert (resumed.status_code, resumed.content == after.body) == (200, True)


def test_an_origin_that_breaks_is_asked_for_the_rest(service: Running, origin: Origin) -> None:
    data = whole(service, origin)
    origin.rules["*"] = Rule(cut_after=20_000, when=lambda request: request.path.endswith(".m4s"), times=3)
    assert whole(service, origin) == data


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_puts_slices_together_and_keeps_them(service: Running, origin: Origin, tmp_path: Path) -> None:
    data = whole(service, origin)
    with nginx(service.url, tmp_path) as cache:
        first = httpx.get(address(cache, origin), timeout=SECONDS)
        assert (first.status_code, first.content == data) == (200, True)
        requests = len(origin.requests)
        second = httpx.get(address(cache, origin), headers={"Range": "bytes=200000-299999"}, timeout=SECONDS)
        assert (second.status_code, second.content == data[200_000:300_000]) == (206, True)
        assert len(origin.requests) == requests


@pytest.mark.skipif(VARNISHD is None, reason="Varnish is not installed (Debian: varnish)")
def test_varnish_in_front_gives_the_same_bytes(origin: Origin, tmp_path: Path) -> None:
    environ = SETTINGS | {"TRANSCODER_CACHE_SECONDS": "3600"}
    with emulated(Options(environ=environ)) as running, varnish(running.url, tmp_path) as client:
        query = {"layout": "plain", "url": origin.url("/main.m3u8")}
        data = client.get("/download", params=query).content
        part = client.get("/download", params=query, headers={"range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, data[1000:2000])
        assert data == whole(running, origin)
