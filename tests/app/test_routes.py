"""The routes: what is told without fetching a segment, who may ask, and what may be kept."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from conftest import Serve
from moto.server import ThreadedMotoServer
from peers.application import ask, ask_all

from transcoder import bootstrap
from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import query_of, signed
from transcoder.emulator import Options
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

HERE = Settings(allow_private=True, attempts=1)
KEYS = ("a key of sixteen or more", "an older key of sixteen")
SIGNED = Settings(allow_private=True, attempts=1, signing_keys=KEYS)
FAR = 4_000_000_000

Media = Callable[[str], Path]


def test_info_tells_what_is_offered_and_what_would_be_taken(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-separate-audio"))
    answered = ask(f"/info?height=200&filename=cat&url={origin.url('/main.m3u8')}", settings=HERE)
    told = answered.document
    assert (told["kind"], told["title"], told["file_name"]) == ("hls", None, "cat.mp4")
    assert told["seconds"] == pytest.approx(6, abs=0.1)
    assert [(line["width"], line["height"], line["chosen"]) for line in told["variants"]] == [(320, 180, True), (640, 360, False)]
    assert told["variants"][1]["estimated_bytes"] == pytest.approx(900_000 * told["seconds"] / 8, rel=0.01)
    assert told["variants"][0]["codecs"] == ["avc1.4d401e", "mp4a.40.2"]
    assert [(line["language"], line["chosen"]) for line in told["audio"]] == [("en", True)]
    assert told["estimated_bytes"] == told["variants"][0]["estimated_bytes"]
    assert told["estimated_seconds_on_lambda"] == 0.0
    assert told["limits"] == [{"name": "response_limit", "value": HERE.response_limit, "unit": "bytes", "kept": True}]


@pytest.mark.parametrize(
    ("choice", "ending", "chosen", "seconds"),
    [
        ("mute=1", "mp4", "picture", 5.48),  # which begins later than the sound
        ("format=m4a", "m4a", "sound", 6),
        ("start=2&end=3.5", "mp4", "picture and sound", 1.5),
        ("start=2", "mp4", "picture and sound", 3.48),
    ],
)
def test_info_tells_of_what_is_wanted(choice: str, ending: str, chosen: str, seconds: float, media: Media, serve: Serve) -> None:
    told = ask(f"/info?{choice}&url={serve(media('ts-separate-audio')).url('/main.m3u8')}", settings=HERE).document
    kinds = [kind for kind, lines in (("picture", told["variants"]), ("sound", told["audio"])) if any(line["chosen"] for line in lines)]
    assert " and ".join(kinds) == chosen
    assert told["file_name"].rpartition(".")[2] == ending
    assert told["seconds"] == pytest.approx(seconds, abs=0.2)


def test_info_and_head_fetch_no_segment(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-separate-audio"))
    for target, method in (("/info", "GET"), ("/info", "HEAD"), ("/download", "HEAD")):
        assert ask(f"{target}?url={origin.url('/main.m3u8')}", settings=HERE, method=method).status == 200
    assert {request.path.rpartition(".")[2] for request in origin.requests} == {"m3u8"}


def test_the_link_that_info_gives_makes_the_film(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    told = ask(f"/a/path/info?url={origin.url('/main.m3u8')}?token=a%2Bb", settings=HERE).document
    assert told["download"].startswith("/a/path/download?url=http%3A%2F%2F127.0.0.1")
    answered = ask(told["download"], settings=HERE)
    assert answered.status == 200
    assert answered.body[4:8] == b"ftyp"
    assert [request.query for request in origin.requests_of("/main.m3u8")] == ["token=a%2Bb"] * 2


def test_info_may_be_kept_for_a_moment_and_knows_itself_again(media: Media, serve: Serve) -> None:
    target = f"/info?url={serve(media('ts-muxed')).url('/main.m3u8')}"
    first = ask(target, settings=HERE)
    assert first.headers["cache-control"] == "public, max-age=60"
    again = ask(target, settings=HERE, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status, bytes(again.body)) == (304, b"")
    assert ask(target, settings=HERE, headers={"if-none-match": '"other"'}).body == first.body


def test_head_has_the_header_of_get(media: Media, serve: Serve) -> None:
    target = f"/download?url={serve(media('ts-separate-audio')).url('/main.m3u8')}"
    head, got = ask(target, settings=HERE, method="HEAD"), ask(target, settings=HERE)
    assert head.status == got.status == 200
    assert head.body == b""
    # Seconds are known exactly only once the first segments have been seen, and times are times.
    assert {**head.headers, "server-timing": ""} == {
        name: "" if name == "server-timing" else text for name, text in got.headers.items() if name != "x-content-duration"
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_head_fails_as_get_does(method: str, serve: Serve) -> None:
    origin = serve({"/live.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"})
    assert ask(f"/download?url={origin.url('/live.m3u8')}", settings=HERE, method=method).problem[:2] == (422, "unsupported-source")
    assert ask(f"/download?url={origin.url('/none.m3u8')}", settings=HERE, method=method).problem[:2] == (502, "upstream-failed")


def test_phases_up_to_the_first_byte_are_told(media: Media, serve: Serve) -> None:
    answered = ask(f"/download?url={serve(media('ts-muxed')).url('/main.m3u8')}", settings=HERE)
    phases = [part.partition(";dur=") for part in answered.headers["server-timing"].split(", ")]
    assert [name for name, _, _ in phases] == ["source", "playlists", "media"]
    assert all(float(milliseconds) >= 0 for _, _, milliseconds in phases)


def test_a_film_is_kept_only_where_the_owner_insists(media: Media, serve: Serve) -> None:
    target = f"/download?url={serve(media('ts-muxed')).url('/main.m3u8')}"
    assert ask(target, settings=HERE).headers["cache-control"] == "no-store"
    kept = ask(target, settings=Settings(allow_private=True, cache_seconds=600))
    assert kept.headers["cache-control"] == "public, max-age=600"


def test_an_unknown_parameter_is_named() -> None:
    for route in ("/download", "/info"):
        status, slug, sentence = ask(f"{route}?hight=3&url=https://a.example/v.m3u8").problem
        assert (status, slug) == (400, "bad-request")
        assert "'hight' is not a parameter" in sentence


@pytest.mark.parametrize("route", ["/download", "/info", "/"])
def test_where_keys_are_set_only_signed_links_are_served(route: str, media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    values = {"url": origin.url("/main.m3u8"), "height": "720"}
    good = query_of(signed(values, key=KEYS[0].encode(), expires=FAR))
    old = query_of(signed(values, key=KEYS[1].encode(), expires=FAR))
    for query in (good, old):
        assert ask(f"{route}?{query}", settings=SIGNED).status == 200
    asked = len(origin.requests)
    refused = {
        query_of(values): "exp and sig are missing",
        good.replace("height=720", "height=721"): "does not hold",
        f"{good}&audio=de": "does not hold",
        query_of(signed(values, key=b"somebody else's key", expires=FAR)): "does not hold",
        query_of(signed(values, key=KEYS[0].encode(), expires=1)): "has expired",
    }
    for query, words in refused.items():
        status, slug, sentence = ask(f"{route}?{query}", settings=SIGNED).problem
        assert (status, slug) == (403, "bad-signature")
        assert words in sentence
    assert len(origin.requests) == asked


def test_the_link_that_a_signed_info_gives_holds_as_long(media: Media, serve: Serve) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    told = ask(f"/info?{query_of(signed(values, key=KEYS[1].encode(), expires=FAR))}", settings=SIGNED).document
    assert parse_query(told["download"].partition("?")[2]).values["exp"] == str(FAR)
    assert ask(told["download"], settings=SIGNED, method="HEAD").status == 200


def test_health_needs_no_signature() -> None:
    assert ask("/health", settings=SIGNED).document["status"] == "ok"


def test_a_host_that_is_not_allowed_is_not_asked(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    status, slug, sentence = ask(
        f"/download?url={origin.url('/main.m3u8')}", settings=Settings(allow_private=True, allowed_hosts=("reddit.com",))
    ).problem
    assert (status, slug, origin.requests) == (403, "forbidden-source", [])
    assert "reddit.com" in sentence


def test_a_signed_link_of_before_is_served_where_no_keys_are_set(media: Media, serve: Serve) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    assert ask(f"/download?{query_of(signed(values, key=b'any key', expires=1))}", settings=HERE, method="HEAD").status == 200


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Settings]]:
    """Keep keys in a Secrets Manager on loopback, and give the settings of a function that reads them there."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "eu-west-1")
    with closing(boto3.client("secretsmanager")) as client:
        yield lambda text: replace(HERE, signing_secret_arn=client.create_secret(Name=str(uuid4()), SecretString=text)["ARN"])
    server.stop()


def test_keys_may_lie_in_a_secret(media: Media, serve: Serve, secret: Callable[[str], Settings]) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    good, forged = (query_of(signed(values, key=key, expires=FAR)) for key in (KEYS[1].encode(), b"somebody else's key"))
    answers = ask_all([f"/info?{query}" for query in (good, forged, good)], settings=secret("\n".join(KEYS)))
    assert [answer.status for answer in answers] == [200, 403, 200]


def test_a_key_too_short_is_the_operators_fault(secret: Callable[[str], Settings]) -> None:
    assert ask("/info?url=https://a.example/v.m3u8", settings=secret("short")).problem[0] == 500
    with pytest.raises(BadRequestError, match="shorter than 16"):
        ask("/health", settings=replace(HERE, signing_keys=("short",)))


def test_on_lambda_only_reddits_hosts_are_served_unless_it_is_said_otherwise() -> None:
    assert Settings.from_env(bootstrap.DEFAULTS).allowed_hosts == ("reddit.com", "redd.it")
    assert Settings.from_env(Options().runtime_environ("127.0.0.1:1") | {"TRANSCODER_ATTEMPTS": "1"}).allowed_hosts == ()
    assert Settings.from_env({}).allowed_hosts == ()
