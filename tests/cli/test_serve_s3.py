"""`transcoder serve --s3`: the emulated Lambda with an emulated S3 beside it, in processes of their own."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from conftest import Serve
from peers.command_line import Started, run_text, serving
from peers.large_source import write_large_source
from peers.leaks import children
from peers.origin import Origin
from peers.running_emulator import curl, exits, http

from transcoder.pipeline.index_store import LEAST_SEGMENTS

Media = Callable[[str], Path]
COMMAND = ("serve", "--s3", "--port", "0", "--allow-private")
ROOT = Path(__file__).parents[2]
SECONDS = 20.0
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Served:
    """A running `transcoder serve --s3`."""

    command: Started
    url: str
    bucket: str
    objects: Any
    """The bucket as another program of the AWS SDK sees it."""

    def presigned_url(self, key: str) -> str:
        """Return an address of an object that needs no keys."""
        url: str = self.objects.meta.client.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": key})
        return url


@contextmanager
def served(errors: Path, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    with serving(*COMMAND, errors=errors, environ={**os.environ, **(environ or {})}) as (command, url):
        address = re.search(r"^S3: (http://127\.0\.0\.1:\d+)/(.+)$", errors.read_text(), re.MULTILINE)
        assert address, errors.read_text()
        session = boto3.session.Session("any", "any", region_name="us-east-1")
        yield Served(command, url.rstrip("/"), address[2], session.resource("s3", endpoint_url=address[1]).Bucket(address[2]))


@pytest.fixture
def origin(media: Media, serve: Serve) -> Origin:
    """Serve a source whose index is kept in a bucket."""
    return serve(dict(write_large_source(media, segments=LEAST_SEGMENTS, segment_bytes=2000)))


def first_bytes(running: Served, origin: Origin) -> str:
    """Ask for the beginning of the plain MP4; return the timing of the response, which says where its index comes from."""
    url = f"{running.url}/download?layout=plain&url={quote(origin.url('/main.m3u8'), safe='')}"
    response = http.get(url, headers={"Range": "bytes=0-99"})
    assert response.status_code == 206, response.text
    return response.headers["server-timing"]


@pytest.mark.parametrize(
    ("environ", "bucket"),
    [
        pytest.param({}, "transcoder", id="nothing of AWS in the environment"),
        pytest.param(
            {
                "AWS_PROFILE": "nobody",
                "AWS_SESSION_TOKEN": "token",
                "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": NOWHERE,
                "AWS_ENDPOINT_URL_S3": NOWHERE,
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
                "TRANSCODER_BUCKET": "my-own",
                "TRANSCODER_FILES_URL": "https://files.example",
                "http_proxy": NOWHERE,
                "NO_PROXY": "a.example",
            },
            "my-own",
            id="an account, a bucket and a proxy of one's own",
        ),
    ],
)
def test_the_function_uses_the_bucket(environ: dict[str, str], bucket: str, origin: Origin, tmp_path: Path) -> None:
    with served(tmp_path / "errors", environ) as running:
        before = children(running.command.pid)
        assert "from the bucket" not in first_bytes(running, origin)
        (runtime,) = children(running.command.pid) - before
        os.kill(runtime, signal.SIGKILL)  # the next execution environment has only the bucket
        assert "from the bucket" in first_bytes(running, origin)
        assert running.bucket == bucket
        assert [each.key[:8] for each in running.objects.objects.all()] == ["indexes/"]
    assert "Traceback" not in (tmp_path / "errors").read_text()


def test_a_presigned_url_can_be_followed_and_resumed(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100_000
    with served(tmp_path / "errors") as running:
        running.objects.put_object(Key="files/a/b.mp4", Body=data, ContentType="video/mp4")
        url = running.presigned_url("files/a/b.mp4")
        whole = curl(tmp_path, url)
        rest = curl(tmp_path, url, "--range", "20000000-")
    assert (whole.status, whole.headers["content-type"], whole.body) == (200, "video/mp4", data)
    assert (rest.status, rest.body) == (206, data[20_000_000:])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is needed to see whether a process runs")
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)],
    ids=["SIGTERM", "SIGINT", "SIGKILL"],
)
def test_nothing_is_left_when_it_ends(number: signal.Signals, exit_code: int, origin: Origin, tmp_path: Path, temp: Path) -> None:
    with served(tmp_path / "errors") as running, ExitStack() as responses:
        running.objects.put_object(Key="files/long", Body=bytes(20 * 1024 * 1024))  # moto writes it into a file
        first_bytes(running, origin)
        responses.enter_context(http.stream("GET", running.presigned_url("files/long")))  # nobody reads its body
        processes = children(running.command.pid)
        assert len(processes) == 2
        running.command.send_signal(number)
        assert running.command.end().returncode == exit_code
        assert [pid for pid in processes if not any(exits(pid) for _ in range(10))] == []
    assert list(temp.iterdir()) == []
    assert "Traceback" not in (tmp_path / "errors").read_text()


@pytest.mark.parametrize("missing", ["moto", "flask_cors"])
def test_without_its_packages_it_says_what_to_install(missing: str, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.name != missing:
            (folder / path.name).symlink_to(path)
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-S", "-m", "transcoder", *COMMAND]
    completed = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr.startswith(f"transcoder: The emulated S3 needs the package {missing}: ")
    assert completed.stderr.count("\n") == 1


def test_a_bucket_that_cannot_be_is_a_failure(tmp_path: Path) -> None:
    environ = {**os.environ, "TRANSCODER_BUCKET": "Not A Bucket"}
    completed = run_text(*COMMAND, environ=environ, first=partial(os.chdir, tmp_path))
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "Not A Bucket" in completed.stderr
    assert completed.stderr.splitlines()[-1] == "transcoder: The emulated S3 does not start; its messages are above. [internal-error]"
