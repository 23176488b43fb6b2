"""`transcoder invoke` against the emulator: what it takes for a whole film, and what not."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Serve
from peers import media_reader, small_application
from peers.running_emulator import emulated

from transcoder.cli import main
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.output.verifier import Verifier, WholeMp4
from transcoder.edge.invoke import FunctionUrl
from transcoder.emulator import Options, Running, StreamErrors


@dataclass(frozen=True, slots=True)
class Film:
    path: Path
    whole: WholeMp4


@pytest.fixture(scope="module")
def made(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Film:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    assert main(["get", str(media("ts-muxed") / "main.m3u8"), "-o", str(path)]) == 0
    verifier = Verifier()
    verifier.feed(path.read_bytes())
    return Film(path, verifier.end())


def options(made: Film, **changes: object) -> Options:
    environ = {**os.environ, "FILM": str(made.path), "SECONDS": f"{made.whole.announced:.3f}"}
    return replace(Options(command=small_application.COMMAND, environ=environ), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def function(made: Film) -> Iterator[Running]:
    with emulated(options(made)) as running:
        yield running


@contextmanager
def nothing_written(folder: Path) -> Iterator[Path]:
    """Give a place to write to, and see that nothing has come to lie there or beside it."""
    yield folder / "ours.mp4"
    assert not list(folder.iterdir())


def by_sdk(running: Running) -> list[str]:
    return ["--function", "transcoder", "--endpoint-url", running.url]


def by_http(running: Running) -> list[str]:
    return ["--url", running.url]


BOTH = pytest.mark.parametrize("door", [pytest.param(by_sdk, id="SDK"), pytest.param(by_http, id="HTTP")])
Door = Callable[[Running], list[str]]


@BOTH
def test_a_whole_film_is_kept_and_measured(
    door: Door, function: Running, made: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", *door(function), "http://a.example/whole", "-o", str(tmp_path / "ours.mp4")]) == 0
    assert (tmp_path / "ours.mp4").read_bytes() == made.path.read_bytes()
    said = capsys.readouterr().out
    found = re.fullmatch(
        r"whole: ([\d.]+) s in (\d+) bytes and (\d+) fragments; first byte after ([\d.]+) s, all after ([\d.]+) s, .*\n", said
    )
    assert found is not None
    assert float(found[1]) == pytest.approx(made.whole.sent, abs=0.001)
    assert int(found[2]) == made.whole.length
    assert 0 < float(found[4]) <= float(found[5])


@BOTH
@pytest.mark.parametrize(
    ("how", "says"),
    [
        pytest.param("short", "no index", id="ends cleanly in the middle"),
        pytest.param("longer", "X-Content-Duration says 1.000 s", id="is longer than announced"),
        pytest.param("silent", "does not announce", id="does not announce its length"),
    ],
)
def test_what_ends_well_and_is_not_whole_fails(
    door: Door, how: str, says: str, function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nothing_written(tmp_path) as ours:
        assert main(["invoke", *door(function), f"http://a.example/{how}", "-o", str(ours)]) == 7
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "says"),
    [
        pytest.param("failing", "Function.UpstreamFailed: The origin broke off.", id="error trailers"),
        pytest.param("dying", "Runtime.TruncatedResponse", id="a runtime that dies"),
    ],
)
def test_a_failure_after_the_first_byte_is_named_by_the_sdk(
    how: str, says: str, function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nothing_written(tmp_path) as ours:
        assert main(["invoke", *by_sdk(function), f"http://a.example/{how}", "-o", str(ours)]) == 7
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("how", ["failing", "dying"])
@pytest.mark.parametrize(
    ("errors", "says"),
    [
        pytest.param(StreamErrors.CUT, "broke off", id="cut"),
        pytest.param(StreamErrors.CLEAN, "no index", id="clean"),
    ],
)
def test_a_failure_after_the_first_byte_fails_by_http(
    how: str, errors: StreamErrors, says: str, made: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with emulated(options(made, stream_errors=errors)) as running, nothing_written(tmp_path) as ours:
        assert main(["invoke", *by_http(running), f"http://a.example/{how}", "-o", str(ours)]) == 7
    assert says in capsys.readouterr().err


def test_a_film_is_made_by_the_real_function_and_a_refusal_is_told(
    serve: Serve, media: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = serve(media("ts-muxed"))
    with emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        for number, door in enumerate((by_sdk, by_http)):
            ours = tmp_path / f"{number}.mp4"
            assert main(["invoke", *door(running), origin.url("/main.m3u8"), "-o", str(ours)]) == 0
            assert media_reader.hashes(ours) == media_reader.source_hashes(
                media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
            )
        capsys.readouterr()
        for door in (by_sdk, by_http):
            assert main(["invoke", *door(running), origin.url("/none.m3u8"), "-o", str(tmp_path / "none.mp4")]) == 7
            assert re.search(r"The answer is 502: .*404.*\[upstream-failed\]", capsys.readouterr().err)
    assert not (tmp_path / "none.mp4").exists()


def test_who_is_not_there_is_a_failure_of_the_function(function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_written(tmp_path) as ours:
        words = ["http://a.example/whole", "-o", str(ours)]
        assert main(["invoke", "--function", "other", "--endpoint-url", function.url, *words]) == 7
        assert "ResourceNotFoundException" in capsys.readouterr().err
        assert main(["invoke", "--function", "transcoder", "--endpoint-url", "http://127.0.0.1:9", *words]) == 7
        assert main(["invoke", "--url", "http://127.0.0.1:9", *words]) == 7


def test_to_standard_output_goes_the_film_alone(function: Running, made: Film) -> None:
    words = ["invoke", *by_sdk(function), "http://a.example/whole", "-o", "-"]
    done = subprocess.run([sys.executable, "-m", "transcoder", *words], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, made.path.read_bytes())
    assert done.stderr.startswith(b"whole: ")


@BOTH
@pytest.mark.parametrize(("number", "code"), [pytest.param(signal.SIGINT, 130, id="Ctrl-C"), pytest.param(signal.SIGTERM, 143, id="TERM")])
def test_an_interrupted_one_leaves_nothing(door: Door, number: signal.Signals, code: int, function: Running, tmp_path: Path) -> None:
    with nothing_written(tmp_path) as ours:
        words = ["invoke", *door(function), "http://a.example/endless", "-o", str(ours)]
        with subprocess.Popen([sys.executable, "-m", "transcoder", *words], stderr=subprocess.PIPE) as process:
            end = time.monotonic() + 20
            while not any(part.stat().st_size for part in tmp_path.iterdir()) and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(number)
            assert process.communicate(timeout=20)[1] == b""
    assert process.returncode == code
    assert function.pid is not None
    os.kill(function.pid, signal.SIGKILL)  # it would wait for ever, as on Lambda


def test_an_address_that_is_none_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert main(["invoke", "--url", "ftp://a", "http://a.example/whole", "-o", str(tmp_path / "ours.mp4")]) == 2
    assert main(["invoke", "--url", "http://127.0.0.1:9", "main.m3u8", "-o", str(tmp_path / "ours.mp4")]) == 2


class Kept:
    def __init__(self) -> None:
        self.head = ReceivedHead(0)
        self.body = b""

    def request_started(self) -> None:
        pass

    async def start(self, head: ReceivedHead) -> None:
        self.head = head

    async def write(self, chunk: bytes) -> None:
        self.body += chunk


def test_a_request_is_signed_as_aws_describes_it(function: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(name, value)
    kept = Kept()
    url = function.url + "/echo?url=http%3A%2F%2Fa%2Fb%3Fc&height=720"
    asyncio.run(FunctionUrl(url, sign=True, region="eu-west-1").invoke(into=kept))
    headers = json.loads(kept.body)["headers"]
    assert headers["authorization"] == signature(url, headers["x-amz-date"], signed=headers)


def signature(url: str, date: str, *, signed: dict[str, str]) -> str:
    """Compute the Authorization header by the steps of AWS's documentation (Signature Version 4)."""
    parts, scope = urlsplit(url), f"{date[:8]}/eu-west-1/lambda/aws4_request"
    names = signed["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    lines = "".join(f"{name}:{signed[name]}\n" for name in names.split(";"))
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(("GET", parts.path, "&".join(sorted(parts.query.split("&"))), lines, names, nothing))
    text = "\n".join(("AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4secret"
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    made = hmac.digest(key, text.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={made}"
