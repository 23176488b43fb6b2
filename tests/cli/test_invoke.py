"""`transcoder invoke` against the emulator: which responses count as whole, and which do not."""

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
from peers import command_line, media_reader, small_application
from peers.running_emulator import emulated

from transcoder.cli import main
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.output.verifier import Verifier, WholeMp4
from transcoder.edge.invoke import FunctionUrl
from transcoder.emulator import Options, Running, StreamErrors


@dataclass(frozen=True, slots=True)
class MadeMp4:
    path: Path
    whole: WholeMp4


@pytest.fixture(scope="module")
def mp4(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> MadeMp4:
    path = tmp_path_factory.mktemp("mp4") / "made.mp4"
    assert main(["get", str(media("ts-muxed") / "main.m3u8"), "-o", str(path), "--layout", "fragmented"]) == 0
    verifier = Verifier()
    verifier.feed(path.read_bytes())
    return MadeMp4(path, verifier.end())


def options(mp4: MadeMp4, **changes: object) -> Options:
    environ = {**os.environ, "MP4": str(mp4.path), "SECONDS": f"{mp4.whole.announced:.3f}"}
    return replace(Options(command=small_application.COMMAND, environ=environ), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def function(mp4: MadeMp4) -> Iterator[Running]:
    with emulated(options(mp4)) as running:
        yield running


@contextmanager
def writes_nothing(folder: Path) -> Iterator[Path]:
    """Yield a path to write to, and check afterwards that its folder is empty."""
    yield folder / "video.mp4"
    assert not list(folder.iterdir())


def by_sdk(running: Running) -> list[str]:
    return ["--function", "transcoder", "--endpoint-url", running.url]


def by_http(running: Running) -> list[str]:
    return ["--url", running.url]


both_ways = pytest.mark.parametrize("way", [pytest.param(by_sdk, id="SDK"), pytest.param(by_http, id="HTTP")])
Way = Callable[[Running], list[str]]


@both_ways
def test_a_whole_mp4_is_kept_and_measured(
    way: Way, function: Running, mp4: MadeMp4, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", *way(function), "http://a.example/whole", "-o", str(tmp_path / "video.mp4")]) == 0
    assert (tmp_path / "video.mp4").read_bytes() == mp4.path.read_bytes()
    summary = capsys.readouterr().out
    found = re.fullmatch(
        r"whole: ([\d.]+) s in (\d+) bytes and (\d+) fragments; first byte after ([\d.]+) s, all after ([\d.]+) s, .*\n", summary
    )
    assert found is not None
    assert float(found[1]) == pytest.approx(mp4.whole.sent, abs=0.001)
    assert int(found[2]) == mp4.whole.length
    assert 0 < float(found[4]) <= float(found[5])


@both_ways
@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("short", "no index", id="ends cleanly in the middle"),
        pytest.param("longer", "X-Content-Duration says 1.000 s", id="is longer than announced"),
        pytest.param("silent", "does not announce", id="does not announce its length"),
    ],
)
def test_a_response_that_ends_cleanly_but_is_not_whole_fails(
    way: Way, name: str, message: str, function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writes_nothing(tmp_path) as output:
        assert main(["invoke", *way(function), f"http://a.example/{name}", "-o", str(output)]) == 7
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("failing", "Function.UpstreamFailed: The origin broke off.", id="error trailers"),
        pytest.param("dying", "Runtime.TruncatedResponse", id="a runtime that dies"),
    ],
)
def test_through_the_sdk_a_failure_after_the_first_byte_is_named(
    name: str, message: str, function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writes_nothing(tmp_path) as output:
        assert main(["invoke", *by_sdk(function), f"http://a.example/{name}", "-o", str(output)]) == 7
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["failing", "dying"])
@pytest.mark.parametrize(
    ("errors", "message"),
    [
        pytest.param(StreamErrors.CUT, "broke off", id="cut"),
        pytest.param(StreamErrors.CLEAN, "no index", id="clean"),
    ],
)
def test_by_http_a_failure_after_the_first_byte_is_noticed(
    name: str, errors: StreamErrors, message: str, mp4: MadeMp4, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with emulated(options(mp4, stream_errors=errors)) as running, writes_nothing(tmp_path) as output:
        assert main(["invoke", *by_http(running), f"http://a.example/{name}", "-o", str(output)]) == 7
    assert message in capsys.readouterr().err


def test_the_real_function_makes_an_mp4_and_its_errors_are_printed(
    serve: Serve, media: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = serve(media("ts-muxed"))
    with emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        for number, way in enumerate((by_sdk, by_http)):
            output = tmp_path / f"{number}.mp4"
            assert main(["invoke", *way(running), origin.url("/main.m3u8"), "-o", str(output)]) == 0
            assert media_reader.hashes(output) == media_reader.source_hashes(
                media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
            )
        capsys.readouterr()
        for way in (by_sdk, by_http):
            assert main(["invoke", *way(running), origin.url("/none.m3u8"), "-o", str(tmp_path / "none.mp4")]) == 7
            assert re.search(r"The function responded with 502: .*404.*\[upstream-failed\]", capsys.readouterr().err)
    assert not (tmp_path / "none.mp4").exists()


def test_an_unknown_or_unreachable_function_is_a_failure_of_the_function(
    function: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writes_nothing(tmp_path) as output:
        arguments = ["http://a.example/whole", "-o", str(output)]
        assert main(["invoke", "--function", "other", "--endpoint-url", function.url, *arguments]) == 7
        assert "ResourceNotFoundException" in capsys.readouterr().err
        assert main(["invoke", "--function", "transcoder", "--endpoint-url", "http://127.0.0.1:9", *arguments]) == 7
        assert main(["invoke", "--url", "http://127.0.0.1:9", *arguments]) == 7


def test_standard_output_gets_the_mp4_and_nothing_else(function: Running, mp4: MadeMp4) -> None:
    arguments = ["invoke", *by_sdk(function), "http://a.example/whole", "-o", "-"]
    completed = subprocess.run([sys.executable, "-m", "transcoder", *arguments], capture_output=True, timeout=30, check=False)
    assert (completed.returncode, completed.stdout) == (0, mp4.path.read_bytes())
    assert completed.stderr.startswith(b"whole: ")


@both_ways
@pytest.mark.parametrize(("number", "code"), [pytest.param(signal.SIGINT, 130, id="Ctrl-C"), pytest.param(signal.SIGTERM, 143, id="TERM")])
def test_an_interrupted_invoke_leaves_no_file(way: Way, number: signal.Signals, code: int, function: Running, tmp_path: Path) -> None:
    folder, printed = tmp_path / "folder", tmp_path / "printed"
    folder.mkdir()
    with writes_nothing(folder) as output:
        arguments = ["invoke", *way(function), "http://a.example/endless", "-o", str(output)]
        process = command_line.start_process(*arguments, environ=os.environ, output=printed, errors=printed)
        assert process.pid
        end = time.monotonic() + 20
        while not any(part.stat().st_size for part in folder.iterdir()) and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(process.pid, number)
        process.join(20)
        assert printed.read_bytes() == b""
    assert process.exitcode == code
    process.close()
    assert function.pid is not None
    os.kill(function.pid, signal.SIGKILL)  # without this it would wait on, as on Lambda


def test_an_invalid_address_is_an_invalid_command_line(tmp_path: Path) -> None:
    assert main(["invoke", "--url", "ftp://a", "http://a.example/whole", "-o", str(tmp_path / "video.mp4")]) == 2
    assert main(["invoke", "--url", "http://127.0.0.1:9", "main.m3u8", "-o", str(tmp_path / "video.mp4")]) == 2


class KeepingReceiver:
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
    receiver = KeepingReceiver()
    url = function.url + "/echo?url=http%3A%2F%2Fa%2Fb%3Fc&height=720"
    asyncio.run(FunctionUrl(url, sign=True, region="eu-west-1").invoke(into=receiver))
    headers = json.loads(receiver.body)["headers"]
    assert headers["authorization"] == signature(url, headers["x-amz-date"], signed=headers)


def signature(url: str, date: str, *, signed: dict[str, str]) -> str:
    """Compute the Authorization header by the steps of AWS's documentation (Signature Version 4)."""
    parts, scope = urlsplit(url), f"{date[:8]}/eu-west-1/lambda/aws4_request"
    names = signed["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    lines = "".join(f"{name}:{signed[name]}\n" for name in names.split(";"))
    empty_hash = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(("GET", parts.path, "&".join(sorted(parts.query.split("&"))), lines, names, empty_hash))
    text = "\n".join(("AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4secret"
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    digest = hmac.digest(key, text.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={digest}"
