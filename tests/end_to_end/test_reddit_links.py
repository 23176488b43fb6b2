"""Every kind of Reddit link, with a Reddit on loopback that refuses JSON: through `get`, and through the emulated function."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from peers import media_reader
from peers.application import ask
from peers.origin_rules import Rule
from peers.reddit import Reddit, reddit
from peers.reddit_commands import FAST_FAILING, get
from peers.reddit_runtime import options
from peers.running_emulator import emulated, http

from transcoder.cli.exit_codes import ExitCode
from transcoder.emulator import Running

BOTH, VIDEO = ["audio", "video"], ["video"]
TITLE_2024 = "Agora que eu fui chutado pela última vou logo"

LINKS = [
    pytest.param("www.reddit.com/r/aww/comments/p2025/a_film/", "Straight up 📱- what now", 480, BOTH, id="post"),
    pytest.param("old.reddit.com/r/aww/comments/p2024", TITLE_2024, 360, BOTH, id="subdomain"),
    pytest.param("reddit.com/user/filmer/comments/p2024/a_film", TITLE_2024, 360, BOTH, id="a user's post"),
    pytest.param("www.reddit.com/u/filmer/comments/p2024/?utm_source=share", TITLE_2024, 360, BOTH, id="u for user"),
    pytest.param("redd.it/p2024", TITLE_2024, 360, BOTH, id="short link"),
    pytest.param("www.reddit.com/r/aww/s/AbCdEf1234", "Straight up 📱- what now", 480, BOTH, id="share link"),
    pytest.param("www.reddit.com/u/filmer/s/ZyXwVu9876", TITLE_2024, 360, BOTH, id="share link of a profile"),
    pytest.param("www.reddit.com/r/u_filmer/comments/p2025/a_film/", "Straight up 📱- what now", 480, BOTH, id="post on a profile"),
    pytest.param("www.reddit.com/comments/pcross", "Look at this", 480, BOTH, id="crosspost"),
    pytest.param("www.reddit.com/comments/ptext", "Two films in a text", 480, BOTH, id="text with videos"),
    pytest.param("www.reddit.com/r/aww/comments/pcomment/a/cdeep/", "A film with answers", 480, BOTH, id="video in a comment"),
    pytest.param("www.reddit.com/r/aww/comments/pcomment/comment/ctop/", "A film with answers", 360, BOTH, id="comment without a video"),
    pytest.param("www.reddit.com/comments/pdash", "Only a manifest", 180, BOTH, id="post without playlists"),
    pytest.param("www.reddit.com/comments/p2018", "A silent film", 244, VIDEO, id="silent video"),
    pytest.param("v.redd.it/era2025one", "era2025one", 480, BOTH, id="media id"),
    pytest.param("www.reddit.com/video/era2025one", "era2025one", 480, BOTH, id="video page"),
    pytest.param("v.redd.it/era2020one/HLSPlaylist.m3u8?a=1%2CN&v=1&f=sd", "era2020one", 242, BOTH, id="playlist"),
    pytest.param("packaged-media.redd.it/era2025one/pb/m2-res_480p.mp4?m=DASH&s=1", "era2025one", 480, BOTH, id="packaged file"),
    pytest.param("v.redd.it/era2020one/DASH_720.mp4?source=fallback", "era2020one", 242, BOTH, id="fallback file"),
    pytest.param("v.redd.it/era2020one/HLS_224.m3u8", "era2020one", 242, BOTH, id="a variant"),
    pytest.param("v.redd.it/era2017dash/DASHPlaylist.mpd?a=1", "era2017dash", 180, BOTH, id="DASH manifest"),
    pytest.param("v.redd.it/era2017mp4/DASH_180.mp4", "era2017mp4", 180, BOTH, id="file of a post without playlists"),
    pytest.param("www.reddit.com/link/pcomment/video/duwg8xxrajsh1/player", "duwg8xxrajsh1", 480, BOTH, id="player"),
]


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


@pytest.fixture(scope="module")
def function(site: Reddit) -> Iterator[Running]:
    with emulated(options(site, TRANSCODER_ATTEMPTS="1", TRANSCODER_READ_SECONDS="5")) as running:
        yield running


def check(file: Path, short_side: int, tracks: list[str]) -> None:
    assert media_reader.is_whole(file)
    assert min(media_reader.frame_size(file)) == short_side
    assert sorted(media_reader.packet_counts(file)) == tracks


@pytest.mark.parametrize(("link", "title", "short_side", "tracks"), LINKS)
def test_get_saves_the_video_under_its_title(
    link: str, title: str, short_side: int, tracks: list[str], site: Reddit, tmp_path: Path
) -> None:
    assert get(site, tmp_path, f"https://{link}") == ExitCode.SUCCESS
    (file,) = tmp_path.iterdir()
    assert file.name == f"{title}.mp4"
    check(file, short_side, tracks)


# Both find videos with the same steps: here are those links that differ in the title, or in what is found in the end.
@pytest.mark.parametrize(
    ("link", "title", "short_side", "tracks"),
    [
        each
        for each in LINKS
        if each.id in {"post", "subdomain", "share link", "text with videos", "post without playlists", "silent video", "media id"}
        or each.id in {"playlist", "packaged file", "file of a post without playlists"}
    ],
)
def test_the_function_sends_the_video_with_its_title(
    link: str, title: str, short_side: int, tracks: list[str], function: Running, tmp_path: Path
) -> None:
    response = http.get(f"{function.url}/download?url=https://{link}")
    assert response.status_code == 200, response.text
    file = tmp_path / "output.mp4"
    file.write_bytes(response.content)
    check(file, short_side, tracks)
    disposition = response.headers["content-disposition"]
    assert f'filename="{title}.mp4"' in disposition or quote(f"{title}.mp4") in disposition


def test_a_media_id_needs_no_request_to_the_site(site: Reddit) -> None:
    before = len(site.requested())
    assert ask("/download?url=https://v.redd.it/era2024one", network=site.network).status == 200
    assert {requested.partition("/")[0] for requested in site.requested()[before:]} == {"v.redd.it"}


def test_the_post_page_behind_a_share_link_is_not_fetched(site: Reddit) -> None:
    before = len(site.requested())
    ask("/info?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network)
    assert site.requested()[before : before + 2] == ["www.reddit.com/r/aww/s/AbCdEf1234", "www.reddit.com/comments/p2025/.rss"]


def test_a_packaged_file_is_used_once_the_playlist_is_gone() -> None:
    with reddit() as site:
        site.origin.rules["/gone1/pb/m2-res_480p.mp4"] = Rule(body=b"an MP4", headers={"Content-Type": "video/mp4"})
        answer = ask(
            "/download?url=https://packaged-media.redd.it/gone1/pb/m2-res_480p.mp4?s=1", network=site.network, settings=FAST_FAILING
        )
        assert (answer.status, bytes(answer.body)) == (200, b"an MP4")
        assert site.requested()[0] == "v.redd.it/gone1/HLSPlaylist.m3u8"
