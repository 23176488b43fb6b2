"""What people paste instead of a link: over HTTP and on the command line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Serve
from peers.application import ask
from peers.get_command import get
from peers.reddit import Reddit, reddit

from transcoder.settings import Settings

FAST_FAILING = Settings(attempts=1, read_seconds=5.0)


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


@pytest.mark.parametrize("route", ["/info", "/download"])
@pytest.mark.parametrize(
    "text",
    [
        "Check this out: https://www.reddit.com/video/era2025one?utm_source=share",
        "v.redd.it/era2025one",
        "reddit://reddit/link/pcomment/video/duwg8xxrajsh1/player",
        "Look at this\nhttps://www.reddit.com/r/aww/s/AbCdEf1234",
    ],
)
def test_the_link_in_a_pasted_text_is_served(route: str, text: str, site: Reddit) -> None:
    answer = ask(f"{route}?url={quote(text)}", network=site.network, settings=FAST_FAILING, method="HEAD")
    assert answer.status == 200


def test_the_command_line_finds_the_address_in_a_text(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert get(f"Check this out: {url}", tmp_path / "output.mp4").returncode == 0
    refused = get(f"{url} and more", tmp_path / "another.mp4")
    assert (refused.returncode, b"is not an address" in refused.stderr) == (2, True)
