"""The sites in examples/: a visitor gives a link, reads what it is, and saves the whole video; or reads why not."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import aws, media_reader
from peers.origin import Origin
from peers.running_emulator import emulated

from transcoder.emulator import Options, Running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KEY = "a key of sixteen or more"
SECONDS = 30.0
NO_SERVICE = "http://127.0.0.1:9"
"""Where nothing listens."""


@contextmanager
def _started(command: list[str], folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Run a site, and yield its address without a slash at its end, which it prints once it listens."""
    environ = {**os.environ, **environ}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield _printed_address(process)
        finally:
            process.terminate()


def _printed_address(process: subprocess.Popen[str]) -> str:
    printed: list[str] = []
    for line in process.stdout or ():
        printed.append(line)
        if address := re.search(r"http://127\.0\.0\.1:\d+", line):
            return address[0]
    pytest.fail(f"The site did not start: {printed}")


@contextmanager
def flask_site(_folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    command = [sys.executable, "-m", "flask", "--app", str(EXAMPLES / "flask" / "app.py"), "run", "--port", "0"]
    with _started(command, EXAMPLES / "flask", environ) as address:
        yield address


@contextmanager
def express_site(folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    (folder / "node_modules").symlink_to(aws.express())
    for name in ("app.js", "package.json"):
        shutil.copy(EXAMPLES / "express" / name, folder)
    with _started([aws.node(), "app.js"], folder, {**environ, "PORT": "0"}) as address:
        yield address


Site = Callable[[Path, Mapping[str, str]], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    environ = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_SIGNING_KEYS": KEY}
    with emulated(Options(environ=environ)) as running:
        yield running


@pytest.fixture(scope="module", params=[flask_site, express_site], ids=["flask", "express"])
def site(request: pytest.FixtureRequest, service: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a site that sends its visitors to the service."""
    with request.param(tmp_path_factory.mktemp("site"), {"SERVICE": service.url, "SIGNING_KEY": KEY}) as address:
        yield address


@pytest.fixture
def origin(media: Callable[[str], Path], serve: Serve) -> Origin:
    return serve(media("ts-three-sizes"))


def visit(site: str, url: str) -> httpx.Response:
    return httpx.get(f"{site}/video", params={"url": url}, timeout=SECONDS)


def link_for(response: httpx.Response, text: str) -> str:
    """Return where the link with this text leads."""
    found = re.search(rf'<a href="([^"]+)">{text}</a>', response.text)
    assert found, response.text
    return str(response.url.join(unescape(found[1])))


def test_the_form_leads_to_what_the_video_is(site: str) -> None:
    page = httpx.get(f"{site}/", timeout=SECONDS).text
    assert '<form action="/video">' in page
    assert 'name="url"' in page
    assert "<h1>" not in page


def test_a_visitor_reads_what_the_video_is(site: str, origin: Origin) -> None:
    response = visit(site, origin.url("/main.m3u8"))
    assert response.status_code == 200
    assert re.search(r"<h1>[^<]+\.mp4</h1>", response.text)
    assert "<p>6.0 seconds</p>" in response.text
    sizes = [int(size) for size in re.findall(r">(\d+)p</a>", response.text)]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)


def test_a_visitor_saves_the_whole_video_in_the_size_that_they_chose(
    site: str, service: Running, origin: Origin, media: Callable[[str], Path], tmp_path: Path
) -> None:
    shown = visit(site, origin.url("/main.m3u8"))
    smallest = min(int(size) for size in re.findall(r">(\d+)p</a>", shown.text))
    answer = httpx.get(link_for(shown, f"{smallest}p"), timeout=SECONDS)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{service.url}/download?")
    saved = tmp_path / "video.mp4"
    saved.write_bytes(httpx.get(answer.headers["location"], timeout=SECONDS).raise_for_status().content)
    assert media_reader.is_whole(saved)
    source = media_reader.concatenate(media("ts-three-sizes") / "low.m3u8", tmp_path / "source.ts")
    assert media_reader.hashes(saved) == media_reader.source_hashes(source)


def test_a_link_serves_only_what_the_site_has_signed(site: str, origin: Origin) -> None:
    location = httpx.get(f"{site}/save", params={"url": origin.url("/main.m3u8")}, timeout=SECONDS).headers["location"]
    signed = httpx.URL(location)
    assert httpx.head(signed, timeout=SECONDS).status_code == 200
    assert httpx.head(signed.copy_set_param("height", "100"), timeout=SECONDS).status_code == 403
    assert httpx.head(signed.copy_remove_param("sig"), timeout=SECONDS).status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [("/none.m3u8", 502, "404"), ("/<b>.m3u8", 502, "404"), ("", 400, "url")],
)
def test_a_visitor_reads_why_there_is_no_video(site: str, origin: Origin, path: str, status: int, sentence: str) -> None:
    response = visit(site, origin.url(path) if path else "")
    assert response.status_code == status
    problem = re.search(r'<p role="alert">(.+)</p>', response.text)
    assert problem
    assert sentence in problem[1]
    assert "<b>" not in response.text


@pytest.mark.parametrize("start", [flask_site, express_site], ids=["flask", "express"])
def test_a_service_that_cannot_be_reached_is_a_sentence(start: Site, tmp_path: Path) -> None:
    with start(tmp_path, {"SERVICE": NO_SERVICE, "SIGNING_KEY": KEY}) as address:
        response = visit(address, "http://127.0.0.1/main.m3u8")
    assert response.status_code == 502
    assert "The service that makes the videos cannot be reached." in response.text
