"""`transcoder info` and `transcoder sign`, run as processes."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line
from peers.running_emulator import emulated

from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import check_signature
from transcoder.emulator import Options

KEY = "a key of sixteen or more"


def transcoder(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return command_line.run_text(*arguments, environ={"PATH": "/usr/bin:/bin", **(environ or {})})


def test_info_prints_a_table(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("reddit-2025"))
    completed = transcoder("info", origin.url("/HLSPlaylist.m3u8"), "--height", "300")
    assert completed.returncode == 0, completed.stderr
    lines = [" ".join(line.split()) for line in completed.stdout.splitlines()]
    assert "duration 6.0 s, by the playlist" in lines
    assert "480x854 25 avc1.4d401f, mp4a.40.2 1368 1328 1.0 MB" in lines
    assert any(line.startswith("→ 220x392 25 avc1.4d401f, mp4a.40.2 375 335") for line in lines)
    assert any(line.startswith("cost on AWS $0.000") and line.endswith(", by list prices") for line in lines)
    assert "→ audio 6 audio 0 yes" in lines
    assert "subtitles subs English en" in lines
    assert any(line.startswith("download /download?url=http%3A%2F%2F127.0.0.1") and line.endswith("&height=300") for line in lines)
    assert {request.path.rpartition(".")[2] for request in origin.requests} == {"m3u8"}


def test_info_says_that_audio_is_reencoded(media: Callable[[str], Path]) -> None:
    completed = transcoder("info", str(media("packed-mp2") / "main.m3u8"))
    assert "audio re-encoded, from mp2" in [" ".join(line.split()) for line in completed.stdout.splitlines()]


def test_info_prints_json(media: Callable[[str], Path]) -> None:
    completed = transcoder("info", str(media("ts-three-sizes") / "main.m3u8"), "--json")
    report = json.loads(completed.stdout)
    assert [line["chosen"] for line in report["variants"]] == [False, False, True]
    assert report["file_name"] == "ts-three-sizes.mp4"
    assert 0 < report["estimated_dollars_on_aws"] < 0.01
    assert report["download"] is None


def test_the_duration_of_a_file_is_not_known(serve: Serve) -> None:
    url = serve({"/picture.jpg": b"\xff\xd8\xff\xe0" + bytes(1000)}).url("/picture.jpg")
    assert json.loads(transcoder("info", url, "--json").stdout)["seconds"] is None
    printed = transcoder("info", url)
    assert printed.returncode == 0
    assert "duration" not in printed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.m3u8"], 2, "neither an address nor a file"),
        (["https://www.reddit.com/r/aww"], 3, "names no post"),
        (["https://a.example/", "--height", "tall"], 2, "height: 'tall'"),
    ],
)
def test_info_names_an_invalid_argument(arguments: list[str], code: int, message: str) -> None:
    completed = transcoder("info", *arguments)
    assert (completed.returncode, completed.stdout) == (code, "")
    assert message in completed.stderr


def test_sign_makes_a_valid_link() -> None:
    arguments = ["https://redd.it/abc", "--height", "720", "--service", "https://x.example/", "--expires", "2h"]
    completed = transcoder("sign", *arguments, environ={"TRANSCODER_SIGNING_KEYS": f"{KEY},an older key of sixteen"})
    assert completed.returncode == 0, completed.stderr
    base, _, query = completed.stdout.strip().partition("?")
    values = parse_query(query).values
    assert base == "https://x.example/download"
    assert (values["url"], values["height"]) == ("https://redd.it/abc", "720")
    check_signature(values, keys=[KEY.encode()], now=int(values["exp"]) - 7199)


@pytest.mark.parametrize(
    ("arguments", "keys", "message"),
    [
        ([], "", "no key to sign with"),
        ([], "short", "shorter than 16"),
        (["--expires", "soon"], KEY, "not a time"),
        (["--item", "none"], KEY, "item"),
        (["--service", "nonsense"], KEY, "--service: 'nonsense' is not an http or https address"),
    ],
)
def test_sign_names_an_invalid_argument(arguments: list[str], keys: str, message: str) -> None:
    completed = transcoder("sign", "https://redd.it/abc", *arguments, environ={"TRANSCODER_SIGNING_KEYS": keys})
    assert (completed.returncode, completed.stdout) == (2, "")
    assert message in completed.stderr


@pytest.mark.parametrize("keys", [KEY, "another key of sixteen"])
def test_invoke_signs_with_the_configured_keys(keys: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", "TRANSCODER_SIGNING_KEYS": KEY, "TRANSCODER_ALLOW_PRIVATE": "1"}
    with emulated(Options(environ=environ)) as running:
        arguments = ["invoke", serve(media("ts-muxed")).url("/main.m3u8"), "--url", running.url, "-o", str(tmp_path / "video.mp4")]
        completed = transcoder(*arguments, environ={"TRANSCODER_SIGNING_KEYS": keys})
    if keys == KEY:
        assert completed.returncode == 0, completed.stderr
        assert (tmp_path / "video.mp4").is_file()
    else:
        assert completed.returncode == 7
        assert "The signature of this link is not valid" in completed.stderr


def test_invoke_refuses_mp3_because_it_cannot_be_checked() -> None:
    completed = transcoder("invoke", "https://a.example/v.m3u8", "--format", "mp3", "--url", "http://127.0.0.1:1")
    assert completed.returncode == 2
    assert "nothing to check" in completed.stderr
