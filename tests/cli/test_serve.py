"""`transcoder serve`: what it prints about requests, and what happens to more of them than it serves at once."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import command_line
from peers.origin import GOOD, Rule
from peers.running_emulator import http

COMMAND = ("serve", "--port", "0", "--allow-private")
SECONDS = 30.0


@contextmanager
def served(errors: Path, *options: str, command: tuple[str, ...] = COMMAND) -> Iterator[str]:
    with command_line.serving(*command, *options, errors=errors) as (_, url):
        yield url


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
        thread = threading.Thread(target=lambda: statuses.append(http.get(address).status_code))
        thread.start()
        while not origin.requests:
            thread.join(0.05)
        held.set()
        assert http.get(f"{url}health").status_code == second
        thread.join()
    assert statuses == [200]


def test_a_request_is_one_line_of_text(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, errors = serve(media("ts-muxed")), tmp_path / "errors"
    with served(errors) as url:
        length = len(http.get(f"{url}download?url={origin.url('/main.m3u8')}").content)
        assert http.get(f"{url}download?url={origin.url('/none.m3u8')}").status_code == 502
        good, bad = (line.partition(": ") for line in lines_of(errors, 2))
    assert good[0] == bad[0] == "GET /download (127.0.0.1)"
    assert good[2].startswith(f"200 ok, {length / 1e6:.1f} MB in ")
    assert bad[2].startswith("502 upstream-failed, ")


def test_a_request_is_logged_as_on_lambda_if_that_is_asked_for(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with served(errors, "--log", "json") as url:
        http.get(f"{url}health")
        (line,) = lines_of(errors, 1)
    assert json.loads(line)["outcome"] == "ok"


def test_other_machines_reach_what_lambda_allows(tmp_path: Path) -> None:
    command = ("serve", "--port", "0", "--host", "0.0.0.0")
    with served(tmp_path / "errors", command=command) as url:
        assert url.startswith("http://127.0.0.1:")
        refused = http.get(f"{url}info", params={"url": "https://a.example/main.m3u8"})
        assert (refused.status_code, "Only videos on reddit.com, redd.it" in refused.json()["detail"]) == (403, True)
        address = f"http://{_own_address()}:{httpx.URL(url).port}/health"
        assert http.get(address).status_code == 200


def _own_address() -> str:
    """Return an address of this machine, beyond loopback if it has one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


def test_an_operator_may_allow_other_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_ALLOWED_HOSTS", "b.example")
    command = ("serve", "--port", "0", "--host", "0.0.0.0")
    with served(tmp_path / "errors", command=command) as url:
        refused = http.get(f"{url}info", params={"url": "https://a.example/main.m3u8"})
        assert "Only videos on b.example" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("options", "environ", "code", "sentence"),
    [
        (("--host", "0.0.0.0", "--allow-private"), {}, 2, "other machines could fetch from this machine's networks"),
        (("--host", "0.0.0.0"), {"TRANSCODER_ALLOW_PRIVATE": "1"}, 2, "leave out --allow-private and TRANSCODER_ALLOW_PRIVATE"),
        (("--host", "localhost"), {}, 2, "'localhost' is not an IPv4 address, such as 127.0.0.1 or 0.0.0.0"),
        (("--host", "192.0.2.1"), {}, 6, "192.0.2.1, port 0: "),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_refused(
    options: tuple[str, ...], environ: dict[str, str], code: int, sentence: str
) -> None:
    refused = command_line.run_text("serve", "--port", "0", *options, environ={**os.environ, **environ})
    assert (refused.returncode, sentence in refused.stderr, refused.stdout) == (code, True, ""), refused.stderr


def test_a_private_source_is_refused_with_the_option_that_allows_it(tmp_path: Path) -> None:
    with served(tmp_path / "errors", command=("serve", "--port", "0")) as url:
        refused = http.get(f"{url}info", params={"url": "http://127.0.0.1:8001/main.m3u8"})
    assert refused.status_code == 403
    assert "is not on the public internet, so nothing is fetched from it" in refused.json()["detail"]
