"""A link to a file in the bucket that has expired: what the function answers in place of another link is written nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.command_line import run
from peers.get_command import get
from peers.origin import Rule

Media = Callable[[str], Path]


@pytest.mark.parametrize(("status", "code"), [(200, "200"), (206, "206"), (404, "404"), (500, "500")])
def test_a_film_in_place_of_a_link_is_not_written(status: int, code: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    assert get(str(media("ts-muxed") / "main.m3u8"), source, "--layout", "fragmented").returncode == 0
    function = serve({"/download": source.read_bytes(), "/file": b""})
    film = {"content-type": "video/mp4", "x-content-duration": "6.0"}
    function.rules["/download"] = [
        Rule(times=1, status=303, redirect="/file", body=b""),
        Rule(status=status, body=source.read_bytes(), headers=film),
    ]
    function.rules["/file"] = [Rule(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")]
    completed = run("get", "https://example.com/main.m3u8", "--via", function.url(""), "--deliver", "s3", "-o", "-")
    assert (completed.returncode, completed.stdout) == (7, b"")
    assert f"the function gave no other: it responded with {code}." in completed.stderr.decode()
    assert [request.path for request in function.requests] == ["/download", "/file", "/download"]
