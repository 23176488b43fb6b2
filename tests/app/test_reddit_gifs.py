"""GIFs on Reddit: the MP4 that Reddit made of each, from a Reddit on loopback."""

from collections.abc import Iterator
from pathlib import Path

import make_media
import pytest
from peers import media_reader
from peers.application import ask
from peers.origin_rules import Rule
from peers.reddit import Reddit, reddit
from peers.reddit_commands import get

from transcoder.cli.exit_codes import ExitCode
from transcoder.errors import UpstreamError
from transcoder.settings import Settings

FAST_FAILING = Settings(attempts=1, read_seconds=5.0, reddit_steps=("json",))  # only the JSON names the MP4 of a GIF
LAMBDA = FAST_FAILING._replace(allowed_hosts=("reddit.com", "redd.it"))


def mp4(name: str) -> bytes:
    return (make_media.media("reddit-gifs") / f"{name}.mp4").read_bytes()


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit(blocked=()) as running:
        yield running


@pytest.mark.parametrize(
    ("link", "name", "title"),
    [
        ("www.reddit.com/r/aww/comments/pgif/a_film/", "catgif", "A cat & its tail"),
        ("redd.it/pgifcross", "catgif", "Look at this cat"),
        ("www.reddit.com/gallery/pgifs", "doggif", "Two cats, a picture and a film"),
    ],
)
def test_the_mp4_is_passed_through_with_the_title_as_its_name(link: str, name: str, title: str, site: Reddit, tmp_path: Path) -> None:
    answer = ask(f"/download?url=https://{link}", network=site.network, settings=LAMBDA)
    assert (answer.status, answer.body == mp4(name)) == (200, True)
    assert answer.headers["content-type"] == "video/mp4"
    assert f'filename="{title}.mp4"' in answer.headers["content-disposition"]
    assert get(site, tmp_path, f"https://{link}", settings=FAST_FAILING) == ExitCode.SUCCESS
    assert [(file.name, file.read_bytes() == mp4(name)) for file in tmp_path.iterdir()] == [(f"{title}.mp4", True)]


def test_item_selects_one_of_the_gifs_and_videos_of_a_gallery(site: Reddit) -> None:
    info = ask("/info?item=3&url=https://redd.it/pgifs", network=site.network, settings=FAST_FAILING).document
    assert [(each["width"], each["chosen"]) for each in info["items"]] == [(320, False), (480, False), (320, True)]
    assert (info["kind"], info["file_name"]) == ("reddit", "Two cats, a picture and a film (3).mp4")
    assert info["estimated_bytes"] == len(mp4("catgif"))
    answer = ask("/download?item=3&url=https://redd.it/pgifs", network=site.network, settings=FAST_FAILING)
    assert answer.body == mp4("catgif")
    refused = ask("/info?item=4&url=https://redd.it/pgifs", network=site.network, settings=FAST_FAILING)
    assert refused.problem == (400, "bad-request", "item: there is no video 4; the post has 3 videos.")


def test_a_byte_range_of_it_is_served(site: Reddit) -> None:
    answer = ask("/download?url=https://redd.it/pgif", network=site.network, settings=FAST_FAILING, headers={"range": "bytes=4-7"})
    assert (answer.status, bytes(answer.body)) == (206, b"ftyp")


def test_a_clip_of_it_is_made_as_of_any_mp4(site: Reddit, tmp_path: Path) -> None:
    assert (
        get(site, tmp_path, "https://redd.it/pgif", "--start=1", "--end=2", "--exact", "-o", "clip.mp4", settings=FAST_FAILING)
        == ExitCode.SUCCESS
    )
    assert media_reader.is_whole(tmp_path / "clip.mp4")
    assert media_reader.packet_counts(tmp_path / "clip.mp4") == {"video": 25}


def test_there_is_no_audio_in_it(site: Reddit) -> None:
    answer = ask("/download?format=mp3&url=https://redd.it/pgif", network=site.network, settings=FAST_FAILING)
    assert answer.problem == (422, "unsupported-source", "The source contains no audio.")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_mp4_that_is_gone_is_a_failure_of_the_origin(status: int) -> None:
    with reddit(blocked=()) as site:
        site.origin.rules["/catgif.gif"] = Rule(status=status)
        answer = ask("/download?url=https://redd.it/pgif", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (502, "upstream-failed")
    assert str(status) in answer.problem[2]


def test_a_cut_transfer_is_no_success(tmp_path: Path) -> None:
    with reddit(blocked=()) as site:
        body = mp4("catgif")
        site.origin.rules["/catgif.gif"] = [
            Rule(body=body, headers={"Content-Type": "video/mp4"}, times=1),
            Rule(body=body, headers={"Content-Type": "video/mp4"}, cut_after=1000),
        ]
        with pytest.raises(UpstreamError):
            get(site, tmp_path, "https://redd.it/pgif", settings=FAST_FAILING)
    assert list(tmp_path.iterdir()) == []


def test_a_gif_without_an_mp4_is_refused_with_its_reason(site: Reddit) -> None:
    answer = ask("/download?url=https://redd.it/pgifonly", network=site.network, settings=FAST_FAILING)
    assert answer.problem == (422, "unsupported-source", "The post is a GIF of which Reddit has made no video.")
