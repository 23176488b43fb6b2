"""Subtitles as one text: over HTTP and on the command line, from segments of any origin, and not with one missing."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from peers import command_line
from peers.application import Answered, ask
from peers.origin import Origin, Rule
from peers.reddit import Reddit, reddit
from peers.source_files import files_in

from transcoder.core.request.signing import encode_query, sign
from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, attempts=2, retry_seconds=0.01)
KEY = bytes(range(16))
ONE = b"1\n00:00:00.500 --> 00:00:01.500 line:0\n<i>One</i> &amp; one\n\n"
TWO = b"\n00:00:01.800 --> 00:00:02.400\nTwo\n"
THREE = b"\n2\n00:00:03.000 --> 00:00:04.000\nThree\n"
HEADER = b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"
TEXTS = [HEADER + ONE + b"2" + TWO, b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n1" + TWO + THREE, HEADER]
VTT = """WEBVTT

1
00:00:00.500 --> 00:00:01.500 line:0
<i>One</i> &amp; one

2
00:00:01.800 --> 00:00:02.400
Two

2
00:00:03.000 --> 00:00:04.000
Three
"""
SRT = """1
00:00:00,500 --> 00:00:01,500
<i>One</i> & one

2
00:00:01,800 --> 00:00:02,400
Two

3
00:00:03,000 --> 00:00:04,000
Three
"""

Media = Callable[[str], Path]


def playlist(*names: str, tags: str = "", seconds: float = 2.0) -> bytes:
    entries = "".join(f"#EXTINF:{seconds:.3f},\n{name}\n" for name in names)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n{tags}{entries}#EXT-X-ENDLIST\n".encode()


MAIN = b"""#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="de/main.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="en/main.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="CC1",LANGUAGE="en",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2",SUBTITLES="s"
video/main.m3u8
"""


@pytest.fixture
def files(media: Media) -> dict[str, bytes]:
    """Return a video whose clock begins at 10 s, and its subtitles, by path."""
    segments = {f"/en/{number}.vtt": text for number, text in enumerate(TEXTS)}
    german = {"/de/all.vtt": b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nEins\n", "/de/main.m3u8": playlist("all.vtt", seconds=6)}
    video = {f"/video{path}": content for path, content in files_in(media("ts-muxed")).items()}
    return {"/film.m3u8": MAIN, "/en/main.m3u8": playlist("0.vtt", "1.vtt", "2.vtt"), **segments, **german, **video}


def subtitles(origin: Origin, query: str = "", *, settings: Settings = SETTINGS, method: str = "GET") -> Answered:
    return ask(f"/subtitles?{query}{'&' if query else ''}url={origin.url('/film.m3u8')}", settings=settings, method=method)


def test_all_segments_become_one_text(files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    answer = subtitles(origin)
    assert (answer.status, answer.body.decode()) == (200, VTT)
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="film.en.vtt"'
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert ask(f"/a/subtitles?url={origin.url('/film.m3u8')}", settings=SETTINGS).body == answer.body
    known = ask(f"/subtitles?url={origin.url('/film.m3u8')}", settings=SETTINGS, headers={"if-none-match": answer.headers["etag"]})
    assert (known.status, bytes(known.body)) == (304, b"")


def test_subrip_has_numbers_and_commas(files: dict[str, bytes], serve: Serve) -> None:
    answer = subtitles(serve(files), "format=srt&language=english&filename=a/b")
    assert (answer.status, answer.body.decode()) == (200, SRT)
    assert answer.headers["content-type"] == "application/x-subrip; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="a-b.srt"'


def test_without_a_clock_the_place_of_a_segment_decides(files: dict[str, bytes], serve: Serve) -> None:
    """The video's clock begins at 10 s, so that by it the cue would lie before the beginning."""
    answer = subtitles(serve(files), "language=de")
    assert answer.body == b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nEins\n"
    assert "film.de.vtt" in answer.headers["content-disposition"]


def test_head_fetches_no_segment(files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    head = subtitles(origin, method="HEAD")
    assert {request.path.rpartition(".")[2] for request in origin.requests} == {"m3u8"}
    got = subtitles(origin)
    assert (head.status, bytes(head.body), {**head.headers, "etag": got.headers["etag"]}) == (200, b"", got.headers)


def test_info_links_to_the_subtitles(files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    report = ask(f"/a/info?height=200&filename=cat&url={origin.url('/film.m3u8')}", settings=SETTINGS).document
    assert [(line["language"], line["name"], line["select"]) for line in report["subtitles"]] == [
        ("de", "Deutsch", "de"),
        ("en", "English", "en"),
        ("en", "CC1", None),
    ]
    assert report["subtitles"][2]["download"] is None
    assert report["subtitles"][1]["download"].startswith("/a/subtitles?")
    answer = ask(report["subtitles"][1]["download"], settings=SETTINGS)
    assert (answer.body.decode(), answer.headers["content-disposition"]) == (VTT, 'attachment; filename="cat.vtt"')


def test_only_signed_links_are_served(files: dict[str, bytes], serve: Serve) -> None:
    origin, key = serve(files), "a key of sixteen or more"
    settings = SETTINGS._replace(signing_keys=(key,))
    assert subtitles(origin, settings=settings).problem[:2] == (403, "bad-signature")
    query = encode_query(sign({"url": origin.url("/film.m3u8"), "height": "200"}, key=key.encode(), expires=4_000_000_000))
    link = ask(f"/info?{query}", settings=settings).document["subtitles"][1]["download"]
    assert "exp=4000000000" in link
    assert ask(link, settings=settings).body.decode() == VTT
    assert ask(link.replace("language=en", "language=de"), settings=settings).problem[:2] == (403, "bad-signature")


@pytest.mark.parametrize(
    "rule",
    [
        Rule(status=404),
        Rule(status=403),
        Rule(status=500),
        Rule(body=b""),
        Rule(cut_after=5),
        Rule(reset=True, cut_after=5),
        Rule(body=TEXTS[1][: TEXTS[1].index(b"4.000")]),
        Rule(body=b"<!DOCTYPE html><title>Not found</title>", headers={"Content-Type": "text/html"}),
        Rule(body=b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n01:00:03.000 --> 01:00:04.000\nAnother hour\n"),
    ],
    ids=["missing", "forbidden", "failing", "empty", "cut", "reset", "ending in a cue", "a page", "of another time"],
)
@pytest.mark.parametrize("path", ["/en/0.vtt", "/en/1.vtt", "/en/2.vtt"])
def test_a_segment_that_is_missing_is_a_failure(path: str, rule: Rule, files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    origin.rules[path] = rule
    status, slug, _ = subtitles(origin).problem
    assert (status, slug) == (502, "upstream-failed")


@pytest.mark.parametrize("rule", [Rule(status=503, times=1), Rule(body=b"<p>Busy</p>", times=2), Rule(cut_after=5, times=1)])
def test_a_segment_that_fails_once_is_fetched_again(rule: Rule, files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    origin.rules["/en/1.vtt"] = [rule, Rule()]
    assert subtitles(origin).body.decode() == VTT


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"/en/main.m3u8": playlist("0.vtt", "1.vtt")}, 502, "lacks segments at its end"),
        ({"/en/main.m3u8": playlist("0.vtt", "2.vtt")[:-20]}, 502, "is incomplete"),
        ({"/en/main.m3u8": playlist("0.vtt").replace(b"VOD", b"EVENT").replace(b"#EXT-X-ENDLIST\n", b"")}, 422, "live stream"),
        ({"/en/main.m3u8": playlist("0.vtt", "1.vtt", "2.vtt", tags="#EXT-X-GAP\n")}, 422, "lists gaps"),
        ({"/en/main.m3u8": playlist("0.vtt", tags='#EXT-X-MAP:URI="init.mp4"\n')}, 422, "wvtt or stpp"),
        ({"/en/0.vtt": b"\x00\x00\x00\x18styp" + bytes(40)}, 422, "wvtt or stpp"),
        ({"/en/0.vtt": b'<tt xmlns="http://www.w3.org/ns/ttml"></tt>'}, 422, "TTML"),
        ({"/film.m3u8": MAIN.replace(b"SUBTITLES,", b"AUDIO,").replace(b',SUBTITLES="s"', b"")}, 422, "closed captions"),
        ({"/film.m3u8": playlist("video/segment-0.ts")}, 422, "has no subtitles"),
        ({"/en/main.m3u8": MAIN}, 422, "lists variants where"),
    ],
)
def test_what_cannot_be_one_text_is_refused(
    changed: Mapping[str, bytes], status: int, message: str, files: dict[str, bytes], serve: Serve
) -> None:
    got, _, detail = subtitles(serve({**files, **changed})).problem
    assert (got, message in detail) == (status, True), detail


def test_a_segment_that_the_playlist_leaves_out_is_a_failure(files: dict[str, bytes], serve: Serve) -> None:
    texts = {
        f"/en/{number}.vtt": TEXTS[2] + f"00:00:0{number}.600 --> 00:00:0{number}.900\nText {number}\n".encode() for number in range(6)
    }
    names = ["0.vtt", "1.vtt", "3.vtt", "4.vtt", "5.vtt"]
    assert subtitles(serve({**files, **texts, "/en/main.m3u8": playlist(*names, seconds=1)})).problem[0] == 502
    whole = subtitles(serve({**files, **texts, "/en/main.m3u8": playlist(*sorted([*names, "2.vtt"]), seconds=1)}))
    assert whole.body.count(b"-->") == 6


@pytest.mark.parametrize(("seconds", "is_looked_for"), [(2.0, False), (1.87, False), (1.8, True)])
def test_more_subtitles_are_looked_for_only_if_half_a_second_is_missing(
    seconds: float, files: dict[str, bytes], serve: Serve, *, is_looked_for: bool
) -> None:
    origin = serve({**files, "/en/main.m3u8": playlist("0.vtt", "1.vtt", "2.vtt", seconds=seconds)})
    assert subtitles(origin).status == 200
    assert ("/en/3.vtt" in [request.path for request in origin.requests]) is is_looked_for


def test_encrypted_segments_and_byte_ranges_are_read(files: dict[str, bytes], serve: Serve) -> None:
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(KEY), CBC(bytes(15) + b"\1")).encryptor()
    encrypted = encryptor.update(padder.update(TEXTS[1]) + padder.finalize()) + encryptor.finalize()
    lines = [
        *("#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD"),
        *("#EXTINF:2,", f"#EXT-X-BYTERANGE:{len(TEXTS[0])}@0", "all.vtt"),
        *('#EXT-X-KEY:METHOD=AES-128,URI="key"', "#EXTINF:2,", f"#EXT-X-BYTERANGE:{len(encrypted)}@{len(TEXTS[0])}", "all.vtt"),
        *("#EXT-X-KEY:METHOD=NONE", "#EXTINF:2,", f"#EXT-X-BYTERANGE:{len(TEXTS[2])}", "all.vtt", "#EXT-X-ENDLIST", ""),
    ]
    changed = {"/en/main.m3u8": "\n".join(lines).encode(), "/en/key": KEY, "/en/all.vtt": TEXTS[0] + encrypted + TEXTS[2]}
    assert subtitles(serve({**files, **changed})).body.decode() == VTT
    wrong = subtitles(serve({**files, **changed, "/en/key": bytes(16)}))
    assert wrong.problem[:2] == (502, "upstream-failed")


def test_a_text_larger_than_the_response_limit_is_refused(files: dict[str, bytes], serve: Serve) -> None:
    assert subtitles(serve(files), settings=SETTINGS._replace(response_limit=100)).problem[:2] == (413, "too-large")


def test_a_video_in_fragmented_mp4_has_the_same_clock(files: dict[str, bytes], media: Media, serve: Serve) -> None:
    """Its clock begins at zero, and the map says so."""
    video = {f"/video{path}": content for path, content in files_in(media("fmp4-muxed")).items()}
    texts = {f"/en/{number}.vtt": text.replace(b"MPEGTS:900000", b"MPEGTS:0") for number, text in enumerate(TEXTS)}
    mapped = serve({**files, **video, **texts})
    unmapped = serve({**files, **video, **{path: text.replace(b"X-TIMESTAMP-MAP=MPEGTS:0", b"") for path, text in texts.items()}})
    assert subtitles(mapped).body.decode() == VTT
    assert subtitles(unmapped).body.decode() == VTT


def transcoder(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return command_line.run(*arguments, environ={"PATH": "/usr/bin:/bin", **(environ or {})})


def test_the_command_line_saves_a_whole_file_or_none(files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    origin, output = serve(files), tmp_path / "output.srt"
    url = origin.url("/film.m3u8")
    assert transcoder("subtitles", url, "--format", "srt", "-o", str(output)).returncode == 0
    assert output.read_text() == SRT
    assert transcoder("subtitles", url, "--language", "de", "-o", "-").stdout == b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nEins\n"
    assert transcoder("subtitles", url, "-o", str(output)).returncode == 6
    assert transcoder("subtitles", url, "--language", "fr", "-o", str(tmp_path / "none.vtt")).returncode == 3
    assert transcoder("subtitles", url, "-o", str(tmp_path / "none.vtt"), environ={"TRANSCODER_DENIED": "127.0.0.1"}).returncode == 3
    origin.rules["/en/2.vtt"] = Rule(status=404)
    assert transcoder("subtitles", url, "-o", str(tmp_path / "none.vtt")).returncode == 4
    assert [path.name for path in tmp_path.iterdir()] == ["output.srt"]


def test_the_command_line_reads_local_files(files: dict[str, bytes], tmp_path: Path) -> None:
    for path, content in files.items():
        file = tmp_path / path[1:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    assert transcoder("subtitles", str(tmp_path / "film.m3u8"), "-o", "-").stdout.decode() == VTT


def test_denied_hosts_send_no_subtitles(files: dict[str, bytes], serve: Serve) -> None:
    origin = serve(files)
    other = serve({**files, "/en/main.m3u8": playlist(*(origin.url(f"/en/{number}.vtt") for number in range(3)))})
    url = other.url("/film.m3u8").replace("127.0.0.1", "localhost")
    answer = ask(f"/subtitles?url={url}", settings=SETTINGS._replace(denied=("127.0.0.1",)))
    assert (answer.problem[:2], origin.requests) == ((451, "denied-source"), [])


@pytest.fixture
def site() -> Iterator[Reddit]:
    with reddit() as running:
        folder = "/era2025one/wh_ben_en"
        running.origin.rules[f"{folder}/index.m3u8"] = Rule(body=playlist("all.vtt", seconds=6))
        running.origin.rules[f"{folder}/all.vtt"] = Rule(body=b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello\n")
        yield running


@pytest.mark.parametrize("requests", [0, 2], ids=["listed", "not listed"])
def test_reddits_subtitles_are_asked_for_where_they_are_not_listed(requests: int, site: Reddit) -> None:
    path = "/era2025one/HLSPlaylist.m3u8"
    listed = site.origin.files[path]  # type: ignore[index]
    lines = [line for line in listed.splitlines(keepends=True) if b"TYPE=SUBTITLES" not in line]
    if requests:
        site.origin.rules[path] = [Rule(body=b"".join(lines), when=lambda request: "subsAll" not in request.query), Rule()]
    settings = Settings(attempts=1)
    answer = ask("/subtitles?url=https://v.redd.it/era2025one", network=site.network, settings=settings)
    assert answer.body == b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="era2025one.en.vtt"'
    report = ask("/info?url=https://v.redd.it/era2025one", network=site.network, settings=settings).document
    assert [(line["language"], line["name"]) for line in report["subtitles"]] == [("en", "English")]
    assert len([request for request in site.origin.requests if "subsAll" in request.query]) == requests


def test_reddits_info_does_not_need_the_subtitles(site: Reddit) -> None:
    site.origin.rules["/era2024one/HLSPlaylist.m3u8"] = [Rule(status=403, when=lambda request: "subsAll" in request.query), Rule()]
    settings = Settings(attempts=1)
    assert ask("/info?url=https://v.redd.it/era2024one", network=site.network, settings=settings).document["subtitles"] == []
    assert ask("/subtitles?url=https://v.redd.it/era2024one", network=site.network, settings=settings).status == 422
