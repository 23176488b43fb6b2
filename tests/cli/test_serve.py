"""`transcoder serve`: what it prints about requests, and what happens to more of them than it serves at once."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers.origin import GOOD, Rule

COMMAND = (sys.executable, "-m", "transcoder", "serve", "--port", "0", "--allow-private")
SECONDS = 30.0


@contextmanager
def served(errors: Path, *options: str) -> Iterator[str]:
    with errors.open("wb") as file, subprocess.Popen((*COMMAND, *options), stdout=subprocess.PIPE, stderr=file, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def lines_of(errors: Path, count: int) -> list[str]:
    """Wait for so many lines: one is written when its response has ended."""
    deadline = time.monotonic() + SECONDS
    while (text := errors.read_text()).count("\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return text.splitlines()


@pytest.mark.parametrize(("queue", "second"), [("0", 429), ("1", 200)])
def test_more_requests_than_are_served_at_once_are_refused_or_wait(
    queue: str, second: int, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-muxed"))
    held = threading.Event()
    origin.decide = lambda _request, _earlier: Rule(delay=2.0) if not held.is_set() else GOOD
    with served(tmp_path / "errors", "--concurrency", "1", "--queue", queue) as url:
        address, statuses = f"{url}download?url={origin.url('/main.m3u8')}", list[int]()
        thread = threading.Thread(target=lambda: statuses.append(httpx.get(address, timeout=SECONDS).status_code))
        thread.start()
        while not origin.requests:
            thread.join(0.05)
        held.set()
        assert httpx.get(f"{url}health", timeout=SECONDS).status_code == second
        thread.join()
    assert statuses == [200]


def test_a_request_is_one_line_of_text(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, errors = serve(media("ts-muxed")), tmp_path / "errors"
    with served(errors) as url:
        length = len(httpx.get(f"{url}download?url={origin.url('/main.m3u8')}", timeout=SECONDS).content)
        assert httpx.get(f"{url}download?url={origin.url('/none.m3u8')}", timeout=SECONDS).status_code == 502
        good, bad = (line.partition(": ") for line in lines_of(errors, 2))
    assert good[0] == bad[0] == "GET /download (127.0.0.1)"
    assert good[2].startswith(f"200 ok, {length / 1e6:.1f} MB in ")
    assert bad[2].startswith("502 upstream-failed, ")


def test_a_request_is_logged_as_on_lambda_if_that_is_asked_for(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with served(errors, "--log", "json") as url:
        httpx.get(f"{url}health", timeout=SECONDS)
        (line,) = lines_of(errors, 1)
    assert json.loads(line)["outcome"] == "ok"
