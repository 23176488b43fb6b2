"""docs/http.md lists what `/info` answers: each member of real reports, with its type, and no other."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Serve
from peers.reddit import reddit
from peers.reddit_runtime import options
from peers.running_emulator import emulated

from transcoder.emulator import Options

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "http.md"
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "`null`": (type(None),),
}
SECONDS = 30.0
POST = "https://www.reddit.com/comments/ptext/"
"""A post with two videos."""
Members = dict[tuple[str, str], str]
"""The type of each member, by the array that it is in and its name; the array is empty for members of the report itself."""


def documented() -> Members:
    """Return the members that the tables of the document list."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## The `/info` report")[2].partition("\n## ")[0]
    found: Members = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            array = cells[0].strip("`") if len(cells) == 4 else ""
            names, kind = cells[-3:-1]
            found |= {(array, name): kind for name in re.findall(r"`(\w+)`", names)}
    return found


def wrong(report: Mapping[str, Any], members: Members, array: str = "") -> Iterator[str]:
    """Yield what differs between a report, or an object in one of its arrays, and the document."""
    expected = {name: kind for (of, name), kind in members.items() if of == array}
    yield from (f"{array}.{name} is in only one of both" for name in report.keys() ^ expected.keys())
    for name in report.keys() & expected.keys():
        kinds = [kind for word in expected[name].split(" or ") for kind in TYPES[word]]
        if type(report[name]) not in kinds:
            yield f"{array}.{name} is {report[name]!r}"
        if isinstance(report[name], list) and not array:
            yield from (problem for each in report[name] for problem in wrong(each, members, name))


def report_on(url: str, service: str) -> dict[str, Any]:
    response = httpx.get(f"{service}/info", params={"url": url}, timeout=SECONDS).raise_for_status()
    document: dict[str, Any] = response.json()
    return document


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        yield running.url


def test_a_report_on_a_playlist(service: str, media: Callable[[str], Path], serve: Serve) -> None:
    report = report_on(serve(media("reddit-2025")).url("/HLSPlaylist.m3u8"), service)
    assert report["variants"]
    assert report["audio"]
    assert report["subtitles"]
    assert report["limits"]
    assert list(wrong(report, documented())) == []


def test_a_report_on_a_file(service: str, serve: Serve) -> None:
    report = report_on(serve({"/picture.jpg": b"\xff\xd8\xff\xe0" + bytes(1000)}).url("/picture.jpg"), service)
    assert report["kind"] == "file"
    assert list(wrong(report, documented())) == []


def test_a_report_on_a_post() -> None:
    with reddit() as site, emulated(options(site)) as running:
        report = report_on(POST, running.url)
    assert len(report["items"]) == 2
    assert isinstance(report["posted"], str)
    assert list(wrong(report, documented())) == []


def test_a_difference_is_found() -> None:
    members = {("", "title"): "string or `null`", ("", "items"): "array", ("items", "item"): "number"}
    assert list(wrong({"title": None, "items": [{"item": 1}]}, members)) == []
    assert sorted(wrong({"title": 3, "items": [{"item": "1", "more": 2}]}, members)) == [
        ".title is 3",
        "items.item is '1'",
        "items.more is in only one of both",
    ]
