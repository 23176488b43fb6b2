"""What an operator has excluded is not served, wherever its address turns up, and nothing is asked of it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line
from peers.application import ask
from peers.origin import Rule
from peers.reddit import Reddit, reddit

from transcoder.errors import BadRequestError
from transcoder.settings import Settings

SETTINGS = Settings(attempts=1, read_seconds=5.0)
LOCAL = SETTINGS._replace(allow_private=True, denied=("127.0.0.1",))

Media = Callable[[str], Path]


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


@pytest.mark.parametrize("route", ["/info", "/download"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("denied", "link"),
    [
        ("redd.it", "v.redd.it/era2025one"),
        ("era2025one", "v.redd.it/era2025one/HLSPlaylist.m3u8?a=1&v=1&f=sd"),
        ("era2025one", "www.reddit.com/video/era2025one"),
        ("duwg8xxrajsh1", "www.reddit.com/link/pcomment/video/duwg8xxrajsh1/player"),
        ("p2025", "redd.it/p2025"),
        ("r/aww", "www.reddit.com/r/aww/s/AbCdEf1234"),
        ("u/filmer", "www.reddit.com/user/filmer/comments/p2024/"),
        ("elsewhere.example", "elsewhere.example/era2025one/HLSPlaylist.m3u8"),
    ],
)
def test_a_denied_address_is_refused_without_a_request(route: str, method: str, denied: str, link: str, site: Reddit) -> None:
    before = len(site.requested())
    answer = ask(f"{route}?url=https://{link}", network=site.network, settings=SETTINGS._replace(denied=(denied,)), method=method)
    assert answer.problem[:2] == (451, "denied-source")
    assert "excluded" in answer.problem[2]
    assert answer.notes["outcome"] == "denied-source"
    assert site.requested()[before:] == []


@pytest.mark.parametrize("steps", [("feed",), ("embed",), ("json",)])
def test_the_original_of_a_crosspost_is_refused_by_its_id_whichever_step_tells_it(steps: tuple[str, ...]) -> None:
    settings = SETTINGS._replace(denied=("p2025",), reddit_steps=steps)
    with reddit(blocked=()) as site:
        answer = ask("/info?url=https://www.reddit.com/r/aww/comments/pcross/", network=site.network, settings=settings)
        assert not [requested for requested in site.requested() if requested.startswith("v.redd.it")]
    assert answer.problem[:2] == (451, "denied-source")


@pytest.mark.parametrize(
    ("denied", "link"),
    [
        ("p2025", "www.reddit.com/r/aww/s/AbCdEf1234"),
        ("era2025one", "redd.it/p2025"),
        ("u/filmer", "redd.it/p2025"),
        ("r/ProgramadoresBrasil", "www.reddit.com/comments/p2024"),
        ("era2025one", "redd.it/pcross"),
    ],
)
def test_what_a_link_leads_to_is_refused(denied: str, link: str, site: Reddit) -> None:
    before = len(site.requested())
    answer = ask(f"/download?url=https://{link}", network=site.network, settings=SETTINGS._replace(denied=(denied,)))
    assert answer.problem[:2] == (451, "denied-source")
    assert not [requested for requested in site.requested()[before:] if requested.startswith("v.redd.it")]


POST_DATA = {
    "id": "pdenied",
    "subreddit": "SomeCommunity",
    "title": "A film",
    "secure_media": {
        "reddit_video": {
            "hls_url": "https://v.redd.it/inplaylist/HLSPlaylist.m3u8",
            "dash_url": "https://v.redd.it/indash/DASHPlaylist.mpd",
            "fallback_url": "https://v.redd.it/infallback/DASH_720.mp4",
        }
    },
}
"""A post of whose community and whose video no address but one has the name."""
GIF_DATA = {
    "id": "pdenied",
    "subreddit": "SomeCommunity",
    "url": "https://i.redd.it/agif.gif",
    "preview": {"images": [{"variants": {"mp4": {"source": {"url": "https://preview.redd.it/infile.gif?format=mp4&s=1"}}}}]},
}


@pytest.mark.parametrize(
    ("post", "denied", "is_served"),
    [
        (POST_DATA, "r/somecommunity", False),
        (POST_DATA, "r/somecommunities", True),
        (POST_DATA, "inplaylist", False),
        (POST_DATA, "indash", False),
        (POST_DATA, "infallback", False),
        (GIF_DATA, "r/somecommunity", False),
        (GIF_DATA, "infile", False),
    ],
)
def test_what_only_the_post_itself_tells_is_enough(post: object, denied: str, *, is_served: bool) -> None:
    settings = SETTINGS._replace(denied=(denied,), reddit_steps=("json",))
    document = [{"data": {"children": [{"data": post}]}}, {"data": {"children": []}}]
    with reddit(blocked=()) as site:
        site.origin.rules["/comments/pdenied.json"] = Rule(body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})
        answer = ask("/info?url=https://redd.it/pdenied", network=site.network, settings=settings)
        assert bool([each for each in site.requested() if not each.startswith("www.reddit.com")]) == is_served
    assert (answer.problem[1] == "denied-source") != is_served


def test_another_video_of_the_same_post_is_served(site: Reddit) -> None:
    settings = SETTINGS._replace(denied=("assetone",))
    assert ask("/info?url=https://redd.it/ptext", network=site.network, settings=settings).problem[0] == 451
    assert ask("/info?item=2&url=https://redd.it/ptext", network=site.network, settings=settings).status == 200


@pytest.mark.parametrize("route", ["/info", "/download"])
def test_a_redirect_to_a_denied_host_is_not_followed(route: str, media: Media, serve: Serve) -> None:
    target, redirecting = serve(media("ts-muxed")), serve({})
    redirecting.rules["/main.m3u8"] = Rule(redirect=target.url("/main.m3u8"))
    url = redirecting.url("/main.m3u8").replace("127.0.0.1", "localhost")
    assert ask(f"{route}?url={url}", settings=LOCAL).problem[:2] == (451, "denied-source")
    assert target.requests == []


@pytest.mark.parametrize("route", ["/info", "/download"])
@pytest.mark.parametrize("kind", ["segments", "variants"])
def test_a_playlist_that_leads_to_a_denied_host_is_refused_before_the_first_byte(kind: str, route: str, media: Media, serve: Serve) -> None:
    target = serve(media("ts-three-sizes"))
    folder = media("ts-three-sizes" if kind == "variants" else "ts-muxed")
    lines = (folder / "main.m3u8").read_text().splitlines()
    text = "\n".join(line if line.startswith("#") else target.url(f"/{line}") for line in lines) + "\n"
    url = serve({"/main.m3u8": text.encode()}).url("/main.m3u8").replace("127.0.0.1", "localhost")
    assert ask(f"{route}?url={url}", settings=LOCAL).problem[:2] == (451, "denied-source")
    assert target.requests == []


def run_get(url: str, denied: str, into: Path) -> subprocess.CompletedProcess[bytes]:
    return command_line.run("get", url, "-o", str(into), environ={"PATH": "/usr/bin:/bin", "TRANSCODER_DENIED": denied})


def test_the_command_line_refuses_it_too(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    refused = run_get(origin.url("/main.m3u8"), "r/aww, 127.0.0.1", tmp_path / "output.mp4")
    assert (refused.returncode, b"[denied-source]" in refused.stderr, origin.requests) == (3, True, [])
    assert run_get(origin.url("/main.m3u8"), "r/aww, 127.0.0.2", tmp_path / "output.mp4").returncode == 0


def test_an_entry_that_cannot_be_read_stops_the_program(tmp_path: Path) -> None:
    refused = run_get("https://a.example/v.m3u8", "https://a.example/", tmp_path / "output.mp4")
    assert (refused.returncode, b"TRANSCODER_DENIED" in refused.stderr) == (2, True)
    with pytest.raises(BadRequestError, match="TRANSCODER_DENIED"):
        ask("/health", settings=SETTINGS._replace(denied=("https://a.example/",)))
