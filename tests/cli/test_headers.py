"""Where `get` sends what the user hands over."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers.get_command import get
from peers.origin import Origin, Rule, origin

GIVEN = [
    "--header",
    "Authorization: Bearer secret",
    "--header",
    "Cookie: a=b",
    "--header",
    "X-Key: k",
    "--referer",
    "https://site.example/",
]


@pytest.fixture
def elsewhere(muxed: tuple[dict[str, bytes], Path]) -> Iterator[Origin]:
    """The media on another host than the playlist."""
    with origin(muxed[0], host="127.0.0.2") as o:
        yield o


def playlist_of(files: dict[str, bytes], base: str) -> bytes:
    """Return the playlist with absolute addresses."""
    lines = files["/main.m3u8"].decode().splitlines()
    return "\n".join(line if line.startswith("#") else f"{base}/{line}" for line in lines).encode()


def seen(o: Origin, name: str) -> set[str | None]:
    return {request.headers.get(name) for request in o.requests}


def test_secrets_stay_with_the_host_of_the_source(
    elsewhere: Origin, serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path
) -> None:
    home = serve({"/main.m3u8": playlist_of(muxed[0], elsewhere.base)})
    completed = get(home.url("/main.m3u8"), tmp_path / "v.mp4", *GIVEN)
    assert completed.returncode == 0, completed.stderr
    assert (seen(home, "authorization"), seen(home, "cookie"), seen(home, "x-key")) == ({"Bearer secret"}, {"a=b"}, {"k"})
    assert (seen(elsewhere, "authorization"), seen(elsewhere, "cookie"), seen(elsewhere, "x-key")) == ({None}, {None}, {None})
    assert seen(home, "referer") == seen(elsewhere, "referer") == {"https://site.example/"}


def test_secrets_do_not_follow_a_redirect(elsewhere: Origin, serve: Serve, tmp_path: Path) -> None:
    home = serve({})
    home.rules["/main.m3u8"] = Rule(redirect=elsewhere.url("/main.m3u8"))
    assert get(home.url("/main.m3u8"), tmp_path / "v.mp4", *GIVEN).returncode == 0
    assert seen(home, "authorization") == {"Bearer secret"}
    assert (seen(elsewhere, "authorization"), seen(elsewhere, "cookie"), seen(elsewhere, "x-key")) == ({None}, {None}, {None})
    assert seen(elsewhere, "referer") == {"https://site.example/"}


def test_another_host_gets_what_is_for_it(elsewhere: Origin, serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    home = serve({"/main.m3u8": playlist_of(muxed[0], elsewhere.base)})
    options = ["--header-for", "127.0.0.2", "Authorization: Bearer other", "--header", "Authorization: Bearer secret"]
    assert get(home.url("/main.m3u8"), tmp_path / "v.mp4", *options).returncode == 0
    assert (seen(home, "authorization"), seen(elsewhere, "authorization")) == ({"Bearer secret"}, {"Bearer other"})


def test_a_password_in_the_address_goes_to_its_host_and_not_into_the_file(
    elsewhere: Origin, serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path
) -> None:
    home = serve({"/main.m3u8": playlist_of(muxed[0], elsewhere.base)})
    assert get(home.url("/main.m3u8").replace("http://", "http://me:hidden@"), tmp_path / "v.mp4").returncode == 0
    assert (seen(home, "authorization"), seen(elsewhere, "authorization")) == ({"Basic bWU6aGlkZGVu"}, {None})
    assert b"hidden" not in (tmp_path / "v.mp4").read_bytes()


def test_a_password_in_an_address_of_a_playlist_is_refused(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    files = dict(muxed[0])
    home = serve(files)
    files["/main.m3u8"] = playlist_of(files, home.base.replace("http://", "http://me:hidden@"))
    completed = get(home.url("/main.m3u8"), tmp_path / "v.mp4")
    assert (completed.returncode, b"user name or a password" in completed.stderr, b"hidden" in completed.stderr) == (3, True, False)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_local_playlist_has_no_host_for_a_secret(elsewhere: Origin, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    playlist = tmp_path / "local.m3u8"
    playlist.write_bytes(playlist_of(muxed[0], elsewhere.base))
    completed = get(str(playlist), tmp_path / "v.mp4", "--header", "Cookie: a=b")
    assert (completed.returncode, b"--header-for HOST" in completed.stderr, elsewhere.requests) == (2, True, [])
    assert get(str(playlist), tmp_path / "v.mp4", "--header-for", "127.0.0.2", "Cookie: a=b").returncode == 0
    assert seen(elsewhere, "cookie") == {"a=b"}


def test_cookies_of_an_origin_and_of_the_user_do_not_mix(elsewhere: Origin, serve: Serve, tmp_path: Path) -> None:
    home = serve({})
    home.rules["/main.m3u8"] = Rule(redirect=elsewhere.url("/main.m3u8"))
    elsewhere.rules["/main.m3u8"] = Rule(headers={"Set-Cookie": "own=1; Path=/"})
    assert get(home.url("/main.m3u8"), tmp_path / "v.mp4", *GIVEN).returncode == 0
    assert {request.headers.get("cookie") for request in elsewhere.requests[1:]} == {"own=1"}
