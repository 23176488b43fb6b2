"""`transcoder info` and `transcoder sign`, as programs."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from peers.running_emulator import emulated

from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import check_signature
from transcoder.emulator import Options

KEY = "a key of sixteen or more"


def transcoder(*words: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "transcoder", *words]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **(environ or {})}
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=60, env=dict(environ))


def test_info_prints_a_table(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("reddit-2025"))
    done = transcoder("info", origin.url("/HLSPlaylist.m3u8"), "--height", "300")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "duration 6.0 s" in lines
    assert "480x854 25 avc1.4d401f, mp4a.40.2 1368 1328 1.0 MB" in lines
    assert any(line.startswith("→ 220x392 25 avc1.4d401f, mp4a.40.2 375 335") for line in lines)
    assert "→ sound 6 audio 0 yes" in lines
    assert "subtitles subs English en" in lines
    assert any(line.startswith("download /download?url=http%3A%2F%2F127.0.0.1") and line.endswith("&height=300") for line in lines)
    assert {request.path.rpartition(".")[2] for request in origin.requests} == {"m3u8"}


def test_info_prints_json(media: Callable[[str], Path]) -> None:
    done = transcoder("info", str(media("ts-three-sizes") / "main.m3u8"), "--json")
    told = json.loads(done.stdout)
    assert [line["chosen"] for line in told["variants"]] == [False, False, True]
    assert told["file_name"] == "ts-three-sizes.mp4"
    assert told["download"] is None


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["none.m3u8"], 2, "neither an address nor a file"),
        (["https://www.reddit.com/r/aww"], 3, "names no post"),
        (["https://a.example/", "--height", "tall"], 2, "height: 'tall'"),
    ],
)
def test_info_says_what_is_wrong(words: list[str], code: int, sentence: str) -> None:
    done = transcoder("info", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr


def test_sign_makes_a_link_that_holds() -> None:
    words = ["https://redd.it/abc", "--height", "720", "--service", "https://x.example/", "--expires", "2h"]
    done = transcoder("sign", *words, environ={"TRANSCODER_SIGNING_KEYS": f"{KEY},an older key of sixteen"})
    assert done.returncode == 0, done.stderr
    base, _, query = done.stdout.strip().partition("?")
    values = parse_query(query).values
    assert base == "https://x.example/download"
    assert (values["url"], values["height"]) == ("https://redd.it/abc", "720")
    check_signature(values, keys=[KEY.encode()], now=int(values["exp"]) - 7199)


@pytest.mark.parametrize(
    ("words", "keys", "sentence"),
    [
        ([], "", "no key to sign with"),
        ([], "short", "shorter than 16"),
        (["--expires", "soon"], KEY, "no time"),
        (["--item", "none"], KEY, "item"),
    ],
)
def test_sign_says_what_is_wrong(words: list[str], keys: str, sentence: str) -> None:
    done = transcoder("sign", "https://redd.it/abc", *words, environ={"TRANSCODER_SIGNING_KEYS": keys})
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


@pytest.mark.parametrize("keys", [KEY, "another key of sixteen"])
def test_invoke_signs_with_the_keys_at_hand(keys: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", "TRANSCODER_SIGNING_KEYS": KEY, "TRANSCODER_ALLOW_PRIVATE": "1"}
    with emulated(Options(environ=environ)) as running:
        words = ["invoke", serve(media("ts-muxed")).url("/main.m3u8"), "--url", running.url, "-o", str(tmp_path / "ours.mp4")]
        done = transcoder(*words, environ={"TRANSCODER_SIGNING_KEYS": keys})
    if keys == KEY:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "ours.mp4").is_file()
    else:
        assert done.returncode == 7
        assert "The signature of this link is not valid" in done.stderr


def test_invoke_does_not_pretend_to_check_an_mp3() -> None:
    done = transcoder("invoke", "https://a.example/v.m3u8", "--format", "mp3", "--url", "http://127.0.0.1:1")
    assert done.returncode == 2
    assert "nothing to check" in done.stderr
