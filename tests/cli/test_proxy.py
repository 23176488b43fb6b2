"""`transcoder get` and `info` through a proxy, as the option or the environment says; the function never uses one."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line, media_reader
from peers.proxy import Proxy, proxy
from peers.running_emulator import emulated, http

from transcoder.emulator import Options

NAME = "video.example"
SOURCE = f"http://{NAME}/main.m3u8"
Media = Callable[[str], Path]


@pytest.fixture
def running(media: Media, serve: Serve) -> Iterator[Proxy]:
    """A proxy that knows an origin by name; this machine does not know the name."""
    origin = serve(media("ts-muxed"))
    with proxy() as p:
        p.hosts[NAME] = int(origin.base.rpartition(":")[2])
        yield p


def transcoder(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return command_line.run_text(*arguments, environ={**os.environ, "TRANSCODER_ATTEMPTS": "1", **(environ or {})})


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        pytest.param(["--proxy", "{proxy}"], {}, id="the option"),
        pytest.param(["--proxy", "{bare}"], {}, id="the option without a scheme"),
        pytest.param(["--proxy", "{proxy}"], {"HTTP_PROXY": "http://127.0.0.1:9"}, id="the option before the environment"),
        pytest.param([], {"HTTP_PROXY": "{proxy}"}, id="HTTP_PROXY"),
        pytest.param([], {"http_proxy": "{proxy}", "HTTP_PROXY": "http://127.0.0.1:9"}, id="http_proxy before HTTP_PROXY"),
        pytest.param([], {"ALL_PROXY": "{bare}"}, id="ALL_PROXY"),
        pytest.param([], {"all_proxy": "{proxy}", "NO_PROXY": "other.example,127.0.0.1"}, id="all_proxy, and NO_PROXY for others"),
    ],
)
def test_get_fetches_through_the_proxy(options: list[str], environ: dict[str, str], running: Proxy, tmp_path: Path) -> None:
    places = {"proxy": running.url, "bare": running.url.removeprefix("http://")}
    options = [option.format(**places) for option in options]
    completed = transcoder(
        "get",
        SOURCE,
        "-q",
        "-o",
        str(tmp_path / "v.mp4"),
        *options,
        environ={name: value.format(**places) for name, value in environ.items()},
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    assert media_reader.is_whole(tmp_path / "v.mp4")
    assert len(running.requests) >= 4
    assert running.targets == {NAME}


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        pytest.param(["--proxy", ""], {"HTTP_PROXY": "{proxy}", "all_proxy": "{proxy}"}, id="an empty option"),
        pytest.param(["--proxy="], {"HTTP_PROXY": "socks5://127.0.0.1:9"}, id="an empty option, SOCKS in the environment"),
        pytest.param([], {"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, id="NO_PROXY"),
        pytest.param([], {"http_proxy": "{proxy}", "no_proxy": "*"}, id="no_proxy for all"),
        pytest.param(["--proxy", "{proxy}"], {"no_proxy": "127.0.0.0/8"}, id="no_proxy with the option"),
        pytest.param([], {"HTTPS_PROXY": "{proxy}"}, id="another scheme's proxy"),
    ],
)
def test_get_fetches_directly(
    options: list[str], environ: dict[str, str], running: Proxy, media: Media, serve: Serve, tmp_path: Path
) -> None:
    completed = transcoder(
        *("get", serve(media("ts-muxed")).url("/main.m3u8"), "-q", "-o", str(tmp_path / "v.mp4")),
        *(option.format(proxy=running.url) for option in options),
        environ={name: value.format(proxy=running.url) for name, value in environ.items()},
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    assert not running.requests


def test_info_fetches_through_the_proxy(running: Proxy) -> None:
    completed = transcoder("info", SOURCE, environ={"http_proxy": running.url})
    assert (completed.returncode, completed.stderr) == (0, "")
    assert running.targets == {NAME}


def test_a_password_is_used_and_never_shown(running: Proxy, tmp_path: Path) -> None:
    running.credentials = "user:secret"
    address = running.url.replace("://", "://user:{}@")
    completed = transcoder("get", SOURCE, "-q", "-o", str(tmp_path / "v.mp4"), "--proxy", address.format("secret"))
    assert (completed.returncode, completed.stderr) == (0, "")
    completed = transcoder("info", SOURCE, "--proxy", address.format("wrong-secret"))
    assert completed.returncode == 4
    assert f"the proxy {running.url}, not the origin, answered 407" in completed.stderr
    assert "secret" not in completed.stderr


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        pytest.param("http://user:secret@127.0.0.1:9", 4, "the proxy http://127.0.0.1:9 refuses the connection.", id="unreachable"),
        pytest.param("socks5://user:secret@127.0.0.1:9", 2, "--proxy: SOCKS proxies are not supported", id="SOCKS"),
        pytest.param("http://user:secret@127.0.0.1:no", 2, "--proxy is not the address of a proxy", id="invalid"),
    ],
)
@pytest.mark.parametrize("source", [SOURCE, f"https://{NAME}/main.m3u8"])
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    address: str, code: int, message: str, source: str, tmp_path: Path
) -> None:
    completed = transcoder("get", source, "-q", "-o", str(tmp_path / "v.mp4"), "--proxy", address)
    assert completed.returncode == code
    assert message in completed.stderr
    assert "secret" not in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not list(tmp_path.iterdir())


def test_a_refused_tunnel_is_said_to_be_the_proxys(running: Proxy) -> None:
    running.connect_status = 502
    completed = transcoder("info", f"https://{NAME}/main.m3u8", environ={"https_proxy": running.url})
    assert completed.returncode == 4
    assert f"the proxy {running.url}, not the origin, answered 502 Bad Gateway. [upstream-failed]" in completed.stderr


def test_a_public_playlist_does_not_lead_into_the_private_network(media: Media, serve: Serve, tmp_path: Path) -> None:
    private = serve(media("ts-muxed"))
    text = (media("ts-muxed") / "main.m3u8").read_text(encoding="utf-8")
    public = serve({"/main.m3u8": text.replace("segment-", private.url("/segment-")).encode()})
    with proxy() as p:
        p.hosts[NAME] = int(public.base.rpartition(":")[2])
        completed = transcoder("get", SOURCE, "-q", "-o", str(tmp_path / "v.mp4"), "--proxy", p.url)
    assert completed.returncode == 3
    assert "127.0.0.1 is not on the public internet" in completed.stderr
    assert not private.requests


@pytest.mark.parametrize("command", ["get", "info"])
def test_help_says_what_a_proxy_weakens(command: str) -> None:
    completed = transcoder(command, "--help")
    assert "--proxy URL" in completed.stdout
    assert "weaker" in completed.stdout


def test_the_function_asks_origins_directly_whatever_the_environment_says(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    with proxy() as p:
        names = ("http_proxy", "https_proxy", "all_proxy")
        environ = {spelling: p.url for name in names for spelling in (name, name.upper())}
        with emulated(Options(environ={**os.environ, **environ, "TRANSCODER_ALLOW_PRIVATE": "1"})) as function:
            response = http.get(f"{function.url}/download", params={"url": origin.url("/main.m3u8")})
        assert response.status_code == 200
        assert response.content[-int.from_bytes(response.content[-4:], "big") :][4:8] == b"mfra"
        assert not p.requests


@pytest.mark.parametrize(
    "address", ["socks5://user:secret@127.0.0.1:9", "ftp://user:secret@127.0.0.1:9", "http://user:secret@127.0.0.1:no"]
)
def test_invoke_names_the_variables_of_a_proxy_that_cannot_be_used(address: str, tmp_path: Path) -> None:
    completed = transcoder(
        "invoke", SOURCE, "--url", "http://127.0.0.1:9/", "-q", "-o", str(tmp_path / "v.mp4"), environ={"ALL_PROXY": address}
    )
    assert completed.returncode == 2
    assert "ALL_PROXY" in completed.stderr
    assert "secret" not in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not list(tmp_path.iterdir())
