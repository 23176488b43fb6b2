"""Every place of a video in the JSON of a post, and every era of its media, from a Reddit on loopback that still answers with JSON."""

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from peers import media_reader
from peers.application import ask
from peers.origin_rules import Rule
from peers.reddit import Reddit, reddit
from peers.reddit_pages import FIXTURES

from transcoder.settings import Settings

FAST_FAILING = Settings(attempts=1, read_seconds=5.0, reddit_steps=("json",))
BOTH, VIDEO = ["audio", "video"], ["video"]
TITLE_2024_IN_URL = "agora_que_eu_fui_chutado_pela_%C3%BAltima_vou_logo"
TITLE_2024 = "Agora que eu fui chutado pela última vou logo"

ROWS = [
    pytest.param("www.reddit.com/r/aww/comments/p2017/a_film/", "The oldest film", 240, BOTH, id="2017"),
    pytest.param("www.reddit.com/r/aww/comments/p2018/a_film/", "A silent film", 244, VIDEO, id="2018"),
    pytest.param("www.reddit.com/r/aww/comments/p2020/a_film/", "Salt & pepper", 242, BOTH, id="2020"),
    pytest.param(f"www.reddit.com/r/ProgramadoresBrasil/comments/p2024/{TITLE_2024_IN_URL}/", TITLE_2024, 360, BOTH, id="2024"),
    pytest.param("www.reddit.com/r/u_filmer/comments/p2025/a_film/", "Straight up 📱- what now", 480, BOTH, id="2025 on a profile"),
    pytest.param("www.reddit.com/comments/pcross", "Look at this", 480, BOTH, id="crosspost"),
    pytest.param("www.reddit.com/comments/pcrossempty", "Look at that", 360, BOTH, id="crosspost whose parent is missing"),
    pytest.param("www.reddit.com/comments/ppreview", "A cat, forever", 242, BOTH, id="preview of another site's video"),
    pytest.param("www.reddit.com/comments/ptext", "Two films in a text", 480, BOTH, id="text with videos"),
    pytest.param("www.reddit.com/gallery/pgallery", "A picture and two films", 360, BOTH, id="gallery"),
    pytest.param("www.reddit.com/r/aww/comments/pcomment/a/cdeep/", "A film with answers", 480, BOTH, id="video in a comment"),
    pytest.param("www.reddit.com/comments/pmp4", "Only files", 180, BOTH, id="MP4 files only"),
    pytest.param("www.reddit.com/comments/pdash", "Only a manifest", 180, BOTH, id="DASH manifest only"),
    pytest.param("www.reddit.com/comments/pexpired", "An old tab", 360, BOTH, id="signature expired"),
]


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit(blocked=()) as running:
        yield running


@pytest.mark.parametrize(("link", "title", "short_side", "tracks"), ROWS)
def test_each_post_gives_its_video(link: str, title: str, short_side: int, tracks: list[str], site: Reddit, tmp_path: Path) -> None:
    answer = ask(f"/download?url=https://{link}", network=site.network, settings=FAST_FAILING)
    assert answer.status == 200, answer.body.decode()
    file = tmp_path / "output.mp4"
    file.write_bytes(answer.body)
    assert media_reader.is_whole(file)
    assert min(media_reader.frame_size(file)) == short_side
    assert sorted(media_reader.packet_counts(file)) == tracks
    info = ask(f"/info?url=https://{link}", network=site.network, settings=FAST_FAILING).document
    assert info["file_name"] == f"{title}.mp4"
    assert info["kind"] == "reddit"
    assert info["seconds"] == pytest.approx(media_reader.header_duration(file), abs=3)  # the old playlists have whole seconds, rounded up
    assert f'filename="{title}.mp4"' in answer.headers["content-disposition"] or "filename*=" in answer.headers["content-disposition"]


def test_the_output_has_metadata_of_the_post(site: Reddit, tmp_path: Path) -> None:
    file = tmp_path / "output.mp4"
    file.write_bytes(ask("/download?embed_source=1&url=https://redd.it/p2020", network=site.network, settings=FAST_FAILING).body)
    with av.open(file) as opened:
        metadata = opened.metadata
    assert metadata["title"] == "Salt & pepper"
    assert metadata["comment"] == "https://www.reddit.com/r/aww/comments/p2020/a_film/"
    assert metadata["date"] == "2022-06-30"
    assert metadata["creation_time"].startswith("2022-06-30T")
    file.write_bytes(ask("/download?url=https://redd.it/p2020", network=site.network, settings=FAST_FAILING).body)
    with av.open(file) as opened:
        assert "comment" not in opened.metadata


@pytest.mark.parametrize(
    ("link", "status", "slug", "message"),
    [
        ("www.reddit.com/comments/pyoutube", 422, "unsupported-source", "YouTube"),
        ("www.reddit.com/comments/pimage", 422, "unsupported-source", "image"),
        ("www.reddit.com/comments/pdeleted", 422, "unsupported-source", "deleted"),
        ("www.reddit.com/comments/pwords", 422, "unsupported-source", "no video"),
        ("www.reddit.com/comments/none", 404, "not-found", "no such post"),
        ("v.redd.it/none", 502, "upstream-failed", "403"),
        ("i.redd.it/a.jpg", 422, "unsupported-source", "image"),
        ("www.reddit.com/r/aww", 422, "unsupported-source", "names no post"),
        ("www.reddit.com/r/aww/s/none", 404, "not-found", "no such post"),
    ],
)
def test_a_link_without_a_video_is_refused_with_a_message(link: str, status: int, slug: str, message: str, site: Reddit) -> None:
    answer = ask(f"/download?url=https://{link}", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (status, slug)
    assert message in answer.problem[2]


@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [("blocked.html", 403, "text/html"), ("login.html", 200, "text/html; charset=UTF-8"), ("challenge.html", 429, "text/html")],
)
@pytest.mark.parametrize("path", ["/comments/p2025.json", "/r/aww/s/AbCdEf1234"])
def test_a_block_by_reddit_is_reported_with_a_way_out(body: str, status: int, content_type: str, path: str) -> None:
    with reddit() as site:
        site.origin.rules[path] = Rule(status=status, body=(FIXTURES / body).read_bytes(), headers={"Content-Type": content_type})
        answer = ask(f"/download?url=https://www.reddit.com{path}", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (502, "upstream-blocked")
    assert "https://v.redd.it/" in answer.problem[2]


@pytest.mark.parametrize(
    ("name", "status", "message"), [("private", 403, "private"), ("quarantined", 403, "quarantined"), ("gated", 403, "gated")]
)
def test_a_closed_community_is_not_reported_as_a_block(name: str, status: int, message: str) -> None:
    with reddit() as site:
        body = (FIXTURES / f"{name}.json").read_bytes()
        site.origin.rules["/comments/p2025.json"] = Rule(status=status, body=body, headers={"Content-Type": "application/json"})
        answer = ask("/download?url=https://redd.it/p2025", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (422, "unsupported-source")
    assert message in answer.problem[2]


def test_item_selects_one_of_several_videos(site: Reddit) -> None:
    info = ask("/info?item=2&url=https://redd.it/ptext", network=site.network, settings=FAST_FAILING).document
    assert [item["chosen"] for item in info["items"]] == [False, True]
    assert info["variants"][0]["height"] == 360
    assert info["file_name"] == "Two films in a text (2).mp4"
    answer = ask("/info?item=3&url=https://redd.it/ptext", network=site.network, settings=FAST_FAILING)
    assert answer.problem == (400, "bad-request", "item: there is no video 3; the post has 2 videos.")


def test_height_and_filename_apply_to_posts(site: Reddit) -> None:
    info = ask("/info?height=300&filename=a/b&url=https://redd.it/p2025", network=site.network, settings=FAST_FAILING).document
    assert [variant["width"] for variant in info["variants"] if variant["chosen"]] == [220]
    assert info["file_name"] == "a-b.mp4"


@pytest.mark.parametrize(
    ("parameters", "short_side", "tracks"),
    [("fit=1MB", 220, BOTH), ("mute=1", 480, VIDEO), ("start=1&end=3", 480, BOTH), ("format=m4a", 0, ["audio"])],
)
def test_output_options_apply_to_posts(parameters: str, short_side: int, tracks: list[str], site: Reddit, tmp_path: Path) -> None:
    answer = ask(f"/download?{parameters}&url=https://redd.it/p2025", network=site.network, settings=FAST_FAILING)
    assert answer.status == 200, answer.body.decode()
    file = tmp_path / "output.mp4"
    file.write_bytes(answer.body)
    assert sorted(media_reader.packet_counts(file)) == tracks
    assert not short_side or min(media_reader.frame_size(file)) == short_side


def test_files_that_do_not_fit_are_refused(site: Reddit) -> None:
    answer = ask("/download?fit=0.2MB&url=https://redd.it/pdash", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (413, "too-large")
    assert "0.6 MB" in answer.problem[2]
