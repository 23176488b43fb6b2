"""A video whose address the caller found, with the post that names it: `page` beside `url`."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import av
import pytest
from conftest import Serve
from peers.application import ask
from peers.get_command import get
from peers.origin import Rule
from peers.reddit import Reddit, reddit
from peers.reddit_pages import FIXTURES

from transcoder.core.request.signing import encode_query, sign
from transcoder.edge.fetch import ApiRequest, Fetcher
from transcoder.errors import ForbiddenSourceError
from transcoder.settings import Settings

SETTINGS = Settings(attempts=1, read_seconds=5.0, allowed_hosts=("reddit.com", "redd.it"))
VIDEO = "https://v.redd.it/era2025one/HLSPlaylist.m3u8"
PAGE = "https://www.reddit.com/r/aww/comments/p2025/a_film_of_a_cat/"


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


def answer_all_but_media(site: Reddit, rule: Rule) -> None:
    """Answer every request that is not one to the media host by one rule."""
    first = replace(rule, when=lambda request: request.headers["host"] != "v.redd.it")
    site.origin.rules |= {path: [first, *site.rules(path)] for path in site.origin.rules}


def test_the_title_in_the_link_names_the_file_without_a_request_to_the_site(site: Reddit, tmp_path: Path) -> None:
    before = len(site.requested())
    answer = ask(f"/download?embed_source=1&page={quote(PAGE + '?utm_source=share')}&url={VIDEO}", network=site.network, settings=SETTINGS)
    assert answer.headers["content-disposition"] == 'attachment; filename="a film of a cat.mp4"'
    file = tmp_path / "output.mp4"
    file.write_bytes(answer.body)
    with av.open(file) as opened:
        assert (opened.metadata["title"], opened.metadata["comment"]) == ("a film of a cat", PAGE)
    report = ask(f"/info?page={quote(PAGE)}&url={VIDEO}", network=site.network, settings=SETTINGS).document
    assert (report["title"], report["subreddit"], report["page"]) == ("a film of a cat", "aww", PAGE)
    assert {requested.partition("/")[0] for requested in site.requested()[before:]} == {"v.redd.it"}
    assert quote(PAGE, safe="") in report["download"]


@pytest.mark.parametrize("page", ["https://redd.it/p2025", "https://www.reddit.com/r/aww/s/AbCdEf1234"])
def test_a_link_without_a_title_is_asked_for_it(page: str, site: Reddit) -> None:
    report = ask(f"/info?page={page}&url={VIDEO}", network=site.network, settings=SETTINGS).document
    assert report["title"] == "Straight up 📱: what now?"


@pytest.mark.parametrize("page", ["https://redd.it/p2025", "https://www.reddit.com/r/aww/s/AbCdEf1234", "https://www.reddit.com/r/aww/"])
@pytest.mark.parametrize(
    "rule",
    [
        Rule(status=403, body=(FIXTURES / "blocked.html").read_bytes(), headers={"Content-Type": "text/html"}),
        Rule(status=404),
        Rule(status=500),
        Rule(body=b"[]", headers={"Content-Type": "application/json"}),
        Rule(redirect="https://unknown.example/"),
        Rule(cut_after=3),
    ],
    ids=["blocked", "missing", "failing", "empty", "leading elsewhere", "cut"],
)
def test_a_page_that_cannot_be_read_fails_nothing(rule: Rule, page: str) -> None:
    with reddit() as site:
        answer_all_but_media(site, rule)
        answer = ask(f"/download?page={page}&url={VIDEO}", network=site.network, settings=SETTINGS)
    assert answer.status == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="era2025one.mp4"'


def test_a_page_that_does_not_answer_is_not_waited_for() -> None:
    with reddit() as site:
        answer_all_but_media(site, Rule(delay=60.0))
        began = time.monotonic()
        answer = ask(f"/info?page=https://redd.it/p2025&url={VIDEO}", network=site.network, settings=SETTINGS._replace(read_seconds=60.0))
    assert answer.document["file_name"] == "era2025one.mp4"
    assert 5 <= time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("page", "status", "slug"),
    [
        ("file:///etc/passwd", 400, "bad-request"),
        ("s3://bucket/key", 400, "bad-request"),
        ("no address", 400, "bad-request"),
        ("https://elsewhere.example/page", 403, "forbidden-source"),
        ("https://www.reddit.com/r/secrets/comments/p2025/a_film/", 451, "denied-source"),
        ("https://www.reddit.com/user/filmer/comments/abc/", 451, "denied-source"),
        ("https://redd.it/p2025", 451, "denied-source"),
    ],
)
def test_a_page_is_checked_like_any_address(page: str, status: int, slug: str, site: Reddit) -> None:
    settings = SETTINGS._replace(denied=("r/secrets", "u/filmer"))
    assert ask(f"/info?page={quote(page)}&url={VIDEO}", network=site.network, settings=settings).problem[:2] == (status, slug)


def test_a_signature_covers_the_page(site: Reddit) -> None:
    key = "a key of sixteen or more"
    settings = SETTINGS._replace(signing_keys=(key,))
    query = encode_query(sign({"url": VIDEO, "page": PAGE}, key=key.encode(), expires=4_000_000_000))
    assert ask(f"/info?{query}", network=site.network, settings=settings).status == 200
    forged = query.replace("a_film_of_a_cat", "another")
    assert ask(f"/info?{forged}", network=site.network, settings=settings).problem[:2] == (403, "bad-signature")


def test_reading_a_page_does_not_restrict_what_the_job_may_reach(site: Reddit, tmp_path: Path) -> None:
    playlist = tmp_path / "local.m3u8"
    playlist.write_text("#EXTM3U\n")
    request = ApiRequest("https://www.reddit.com/r/aww/s/AbCdEf1234", follow=False)

    async def run() -> None:
        async with Fetcher.open(SETTINGS, local_files=True, network=site.network) as fetcher:
            with fetcher.aside():
                await fetcher.api_reply(request, limit=1000)
            assert (await fetcher.playlist(playlist.as_uri())).text == "#EXTM3U\n"
            await fetcher.api_reply(request, limit=1000)
            with pytest.raises(ForbiddenSourceError):
                await fetcher.playlist(playlist.as_uri())

    asyncio.run(run())


def test_the_command_line_takes_a_page(media_url: str, tmp_path: Path) -> None:
    result = get(media_url, tmp_path / "output.mp4", "--page", PAGE)
    assert result.returncode == 0, result.stderr
    with av.open(tmp_path / "output.mp4") as opened:
        assert opened.metadata["title"] == "a film of a cat"


@pytest.fixture
def media_url(serve: Serve, muxed: tuple[dict[str, bytes], Path]) -> str:
    return serve(muxed[0]).url("/main.m3u8")
