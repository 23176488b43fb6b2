"""Every form of Reddit's links and every era of its media, over a loopback Reddit: the address guard is on, and so is TLS."""

import json
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from peers import media_reader
from peers.application import Answered, ask, ask_all
from peers.origin_rules import Rule
from peers.reddit import JSON, Reddit, reddit

from transcoder.settings import Settings

QUICK = Settings(attempts=1, read_seconds=5.0)
BOTH, PICTURE = ["audio", "video"], ["video"]
SLUG = "agora_que_eu_fui_chutado_pela_%C3%BAltima_vou_logo"
CLIP = "Agora que eu fui chutado pela última vou logo"

ROWS = [
    # Each place in the JSON, and each era of the media behind it.
    pytest.param("www.reddit.com/r/aww/comments/p2017/a_film/", "The oldest film", 240, BOTH, id="2017"),
    pytest.param("www.reddit.com/r/aww/comments/p2018/a_film/", "A silent film", 244, PICTURE, id="2018"),
    pytest.param("www.reddit.com/r/aww/comments/p2020/a_film/", "Salt & pepper", 242, BOTH, id="2020"),
    pytest.param(f"www.reddit.com/r/ProgramadoresBrasil/comments/p2024/{SLUG}/", CLIP, 360, BOTH, id="2024"),
    pytest.param("www.reddit.com/r/u_filmer/comments/p2025/a_film/", "Straight up 📱- what now", 480, BOTH, id="2025 on a profile"),
    pytest.param("www.reddit.com/comments/pcross", "Look at this", 480, BOTH, id="crosspost"),
    pytest.param("www.reddit.com/comments/pcrossempty", "Look at that", 360, BOTH, id="crosspost whose parent is missing"),
    pytest.param("www.reddit.com/comments/ppreview", "A cat, forever", 242, BOTH, id="preview of another site's video"),
    pytest.param("www.reddit.com/comments/ptext", "Two films in a text", 480, BOTH, id="text with videos"),
    pytest.param("www.reddit.com/gallery/pgallery", "A picture and two films", 360, BOTH, id="gallery"),
    pytest.param("www.reddit.com/r/aww/comments/pcomment/a/cdeep/", "A film with answers", 480, BOTH, id="video in a comment"),
    pytest.param("www.reddit.com/comments/pmp4", "Only files", 180, BOTH, id="MP4 files alone"),
    pytest.param("www.reddit.com/comments/pdash", "Only a manifest", 180, BOTH, id="DASH manifest alone"),
    pytest.param("www.reddit.com/comments/pexpired", "An old tab", 360, BOTH, id="signature expired"),
    # Each form of link.
    pytest.param("old.reddit.com/r/aww/comments/p2024", CLIP, 360, BOTH, id="subdomain"),
    pytest.param("reddit.com/user/filmer/comments/p2024/a_film", CLIP, 360, BOTH, id="user's post"),
    pytest.param("www.reddit.com/u/filmer/comments/p2024/?utm_source=share", CLIP, 360, BOTH, id="u for user"),
    pytest.param("redd.it/p2024", CLIP, 360, BOTH, id="short link"),
    pytest.param("www.reddit.com/r/aww/s/AbCdEf1234", "Straight up 📱- what now", 480, BOTH, id="share link"),
    pytest.param("www.reddit.com/u/filmer/s/ZyXwVu9876", CLIP, 360, BOTH, id="share link of a profile"),
    pytest.param("v.redd.it/era2025one", "era2025one", 480, BOTH, id="media id"),
    pytest.param("www.reddit.com/video/era2025one", "era2025one", 480, BOTH, id="video page"),
    pytest.param("v.redd.it/era2020one/HLSPlaylist.m3u8?a=1%2CN&v=1&f=sd", "era2020one", 242, BOTH, id="playlist"),
    pytest.param("v.redd.it/era2020one/DASH_720.mp4?source=fallback", "era2020one", 242, BOTH, id="fallback file"),
    pytest.param("v.redd.it/era2020one/HLS_224.m3u8", "era2020one", 242, BOTH, id="a variant of it"),
    pytest.param("v.redd.it/era2017dash/DASHPlaylist.mpd?a=1", "era2017dash", 180, BOTH, id="DASH manifest"),
    pytest.param("v.redd.it/era2017mp4/DASH_180.mp4", "era2017mp4", 180, BOTH, id="file of a post without playlists"),
    pytest.param("www.reddit.com/link/pcomment/video/duwg8xxrajsh1/player", "duwg8xxrajsh1", 480, BOTH, id="player"),
]


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


@pytest.mark.parametrize(("link", "title", "short_side", "tracks"), ROWS)
def test_a_link_becomes_the_film(link: str, title: str, short_side: int, tracks: list[str], site: Reddit, tmp_path: Path) -> None:
    answered = ask(f"/download?url=https://{link}", network=site.network, settings=QUICK)
    assert answered.status == 200, answered.body.decode()
    file = tmp_path / "film.mp4"
    file.write_bytes(answered.body)
    assert media_reader.is_whole(file)
    assert min(media_reader.size(file)) == short_side
    assert sorted(media_reader.packets(file)) == tracks
    told = ask(f"/info?url=https://{link}", network=site.network, settings=QUICK).document
    assert told["file_name"] == f"{title}.mp4"
    assert told["kind"] == "reddit"
    assert told["seconds"] == pytest.approx(media_reader.header_duration(file), abs=3)  # whole seconds, rounded up, in the old playlists
    assert f'filename="{title}.mp4"' in answered.headers["content-disposition"] or "filename*=" in answered.headers["content-disposition"]


def test_the_film_says_what_it_is(site: Reddit, tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(ask("/download?url=https://redd.it/p2020", network=site.network).body)
    with av.open(file) as opened:
        told = opened.metadata
    assert told["title"] == "Salt & pepper"
    assert told["comment"] == "https://www.reddit.com/r/aww/comments/p2020/a_film/"
    assert told["date"] == "2022-06-30"


def test_media_ids_do_without_the_json(site: Reddit) -> None:
    before = len(site.asked())
    assert ask("/download?url=https://v.redd.it/era2024one", network=site.network).status == 200
    assert {asked.partition("/")[0] for asked in site.asked()[before:]} == {"v.redd.it"}


def test_a_share_links_post_page_is_not_fetched(site: Reddit) -> None:
    before = len(site.asked())
    ask("/info?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network)
    assert site.asked()[before : before + 2] == ["www.reddit.com/r/aww/s/AbCdEf1234", "www.reddit.com/comments/p2025.json"]


@pytest.mark.parametrize(
    ("link", "status", "slug", "words"),
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
def test_what_has_no_video_is_said_in_words(link: str, status: int, slug: str, words: str, site: Reddit) -> None:
    answered = ask(f"/download?url=https://{link}", network=site.network, settings=QUICK)
    assert answered.problem[:2] == (status, slug)
    assert words in answered.problem[2]


@pytest.mark.parametrize(
    ("page", "status", "type_"),
    [("blocked.html", 403, "text/html"), ("login.html", 200, "text/html; charset=UTF-8"), ("challenge.html", 429, "text/html")],
)
@pytest.mark.parametrize("path", ["/comments/p2025.json", "/r/aww/s/AbCdEf1234"])
def test_a_block_is_said_with_what_to_do(page: str, status: int, type_: str, path: str) -> None:
    with reddit() as site:
        site.origin.rules[path] = Rule(status=status, body=(JSON / page).read_bytes(), headers={"Content-Type": type_})
        answered = ask(f"/download?url=https://www.reddit.com{path}", network=site.network, settings=QUICK)
    assert answered.problem[:2] == (502, "upstream-blocked")
    assert "https://v.redd.it/" in answered.problem[2]


@pytest.mark.parametrize(
    ("name", "status", "words"), [("private", 403, "private"), ("quarantined", 403, "quarantined"), ("gated", 403, "gated")]
)
def test_a_closed_community_is_no_block(name: str, status: int, words: str) -> None:
    with reddit() as site:
        body = (JSON / f"{name}.json").read_bytes()
        site.origin.rules["/comments/p2025.json"] = Rule(status=status, body=body, headers={"Content-Type": "application/json"})
        answered = ask("/download?url=https://redd.it/p2025", network=site.network, settings=QUICK)
    assert answered.problem[:2] == (422, "unsupported-source")
    assert words in answered.problem[2]


def test_item_picks_one_of_several(site: Reddit) -> None:
    told = ask("/info?item=2&url=https://redd.it/ptext", network=site.network).document
    assert [item["chosen"] for item in told["items"]] == [False, True]
    assert told["variants"][0]["height"] == 360
    assert told["file_name"] == "Two films in a text (2).mp4"
    answered = ask("/info?item=3&url=https://redd.it/ptext", network=site.network)
    assert answered.problem == (400, "bad-request", "item: there is no video 3; the post has 2 videos.")


def test_height_and_names_are_the_callers_to_say(site: Reddit) -> None:
    told = ask("/info?height=300&filename=a/b&url=https://redd.it/p2025", network=site.network).document
    assert [variant["width"] for variant in told["variants"] if variant["chosen"]] == [220]
    assert told["file_name"] == "a-b.mp4"


@pytest.mark.parametrize(
    ("choice", "short_side", "tracks"),
    [("fit=1MB", 220, BOTH), ("mute=1", 480, PICTURE), ("start=1&end=3", 480, BOTH), ("format=m4a", 0, ["audio"])],
)
def test_choices_hold_for_posts_too(choice: str, short_side: int, tracks: list[str], site: Reddit, tmp_path: Path) -> None:
    answered = ask(f"/download?{choice}&url=https://redd.it/p2025", network=site.network, settings=QUICK)
    assert answered.status == 200, answered.body.decode()
    file = tmp_path / "film.mp4"
    file.write_bytes(answered.body)
    assert sorted(media_reader.packets(file)) == tracks
    assert not short_side or min(media_reader.size(file)) == short_side


def test_files_that_do_not_fit_are_refused(site: Reddit) -> None:
    answered = ask("/download?fit=0.2MB&url=https://redd.it/pdash", network=site.network, settings=QUICK)
    assert answered.problem[:2] == (413, "too-large")
    assert "0.6 MB" in answered.problem[2]


TOKEN = {"access_token": "a-token", "token_type": "bearer", "expires_in": 3600, "scope": "*"}


def oauth(token: Rule, targets: list[str]) -> tuple[list[Answered], Reddit]:
    settings = Settings(reddit_client_id="an id", reddit_client_secret="a secret", attempts=1)  # noqa: S106  # a test's
    with reddit() as site:
        site.origin.rules["/api/v1/access_token"] = token
        return ask_all(targets, network=site.network, settings=settings), site


def test_a_registered_application_asks_with_one_token_for_several_posts() -> None:
    answers, site = oauth(Rule(body=json.dumps(TOKEN).encode()), ["/info?url=https://redd.it/p2025", "/info?url=https://redd.it/p2024"])
    assert [answer.status for answer in answers] == [200, 200]
    asked = site.origin.requests
    assert [request.method for request in asked].count("POST") == 1
    assert asked[0].body == b"grant_type=client_credentials"
    assert asked[0].headers["authorization"] == "Basic YW4gaWQ6YSBzZWNyZXQ="
    posts = [request for request in asked if request.headers["host"] == "oauth.reddit.com"]
    assert [request.headers["authorization"] for request in posts] == ["Bearer a-token"] * 2
    assert not [request for request in asked if request.headers["host"] == "v.redd.it" and "authorization" in request.headers]


def test_a_token_that_was_forgotten_is_renewed_once() -> None:
    with reddit() as site:
        site.origin.rules["/api/v1/access_token"] = Rule(body=json.dumps(TOKEN).encode())
        site.origin.rules["/comments/p2025"] = Rule(status=401, times=1)
        settings = Settings(reddit_client_id="an id", attempts=1)
        assert ask("/info?url=https://redd.it/p2025", network=site.network, settings=settings).status == 200
        assert [request.method for request in site.origin.requests].count("POST") == 2


def test_a_key_that_reddit_does_not_take_is_said() -> None:
    answers, _ = oauth(Rule(status=401, body=b'{"message": "Unauthorized", "error": 401}'), ["/info?url=https://redd.it/p2025"])
    assert answers[0].problem[:2] == (502, "upstream-blocked")
    assert "API key" in answers[0].problem[2]


def test_a_name_with_a_private_address_is_refused() -> None:
    with reddit(names={"inside.example": "10.0.0.1"}) as site:
        site.origin.rules["/r/aww/s/AbCdEf1234"] = Rule(redirect="https://v.redd.it/era2025one")
        site.origin.rules["/era2025one/HLSPlaylist.m3u8"] = Rule(redirect="https://inside.example/HLSPlaylist.m3u8")
        answered = ask("/download?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network, settings=QUICK)
    assert answered.problem[:2] == (403, "forbidden-source")


ALLOWED = Settings(allowed_hosts=("reddit.com", "redd.it"), attempts=1)


def test_only_sources_on_allowed_hosts_are_served(site: Reddit) -> None:
    assert ask("/info?url=https://redd.it/p2025", network=site.network, settings=ALLOWED).status == 200
    answered = ask("/info?url=https://elsewhere.example/era2025one/HLSPlaylist.m3u8", network=site.network, settings=ALLOWED)
    assert answered.problem[:2] == (403, "forbidden-source")
    assert "elsewhere.example" in answered.problem[2]


def test_a_redirect_does_not_lead_out_of_the_allowed_hosts() -> None:
    with reddit() as site:
        site.origin.rules["/era2025one/HLSPlaylist.m3u8"] = [
            Rule(redirect="https://elsewhere.example/era2025one/HLSPlaylist.m3u8", times=1),
            Rule(),
        ]
        answered = ask("/download?url=https://v.redd.it/era2025one", network=site.network, settings=ALLOWED)
    assert answered.problem[:2] == (403, "forbidden-source")


def test_segments_may_lie_elsewhere(site: Reddit) -> None:
    site.origin.rules["/era2018one/HLS_270_v4.m3u8"] = Rule(
        body=site.origin.files["/era2018one/HLS_270_v4.m3u8"].replace(b"\nHLS", b"\nhttps://elsewhere.example/era2018one/HLS")  # type: ignore[index]
    )
    before = len(site.asked())
    answered = ask("/download?url=https://v.redd.it/era2018one", network=site.network, settings=ALLOWED)
    assert answered.status == 200
    assert "elsewhere.example/era2018one/HLS_270_v4.ts" in site.asked()[before:]
