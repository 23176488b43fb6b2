"""Which file an address of the command line names."""

import os
from pathlib import Path

import pytest

from transcoder.edge.fetch.local_files import path_of
from transcoder.errors import NotFoundError


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("film.mp4", "film.mp4"),
        ("/a/film%20.mp4", "/a/film%20.mp4"),
        ("file:///a/film%20b.mp4", "/a/film b.mp4"),
        ("FILE:/a/caf%C3%A9", "/a/café"),
        ("file:///a/%FF%E9", os.fsdecode(b"/a/\xff\xe9")),
        ("https://a.example/film.mp4", None),
        ("s3://bucket/film.mp4", None),
        ("data:,a", None),
    ],
)
def test_a_path_is_that_of_a_file_url_or_all_of_what_is_no_url(address: str, path: str | None) -> None:
    assert path_of(address) == (None if path is None else Path(path))


@pytest.mark.parametrize("address", ["file:///a%00b", "a\0b", "file://[a", "\ud800"])
def test_what_no_file_is_called_is_not_found(address: str) -> None:
    with pytest.raises(NotFoundError):
        path_of(address)
