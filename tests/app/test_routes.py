"""The routes: reports without fetching a segment, signatures and allowlists, and caching."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from conftest import Serve
from peers.application import ask, ask_all
from peers.aws_services import CREDENTIALS, aws_services

from transcoder import bootstrap
from transcoder.core.answer.lambda_cost import download_cost
from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import encode_query, sign
from transcoder.emulator import Options
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, attempts=1)
KEYS = ("a key of sixteen or more", "an older key of sixteen")
SIGNED_SETTINGS = Settings(allow_private=True, attempts=1, signing_keys=KEYS)
FAR_FUTURE = 4_000_000_000

Media = Callable[[str], Path]


def test_info_lists_the_variants_and_marks_the_selected_ones(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-separate-audio"))
    answer = ask(f"/info?height=200&filename=cat&url={origin.url('/main.m3u8')}", settings=SETTINGS)
    report = answer.document
    assert (report["kind"], report["title"], report["file_name"]) == ("hls", None, "cat.mp4")
    assert report["seconds"] == pytest.approx(6, abs=0.1)
    assert [(line["width"], line["height"], line["chosen"]) for line in report["variants"]] == [(320, 180, True), (640, 360, False)]
    assert report["variants"][1]["estimated_bytes"] == pytest.approx(900_000 * report["seconds"] / 8, rel=0.01)
    assert report["variants"][0]["codecs"] == ["avc1.4d401e", "mp4a.40.2"]
    assert [(line["language"], line["chosen"]) for line in report["audio"]] == [("en", True)]
    assert report["estimated_bytes"] == report["variants"][0]["estimated_bytes"]
    assert report["estimated_seconds_on_lambda"] == 0.0
    assert report["estimated_dollars_on_aws"] == pytest.approx(download_cost(report["estimated_bytes"], fragmented=False).total, abs=1e-7)
    assert report["limits"] == [{"name": "response_limit", "value": SETTINGS.response_limit, "unit": "bytes", "kept": True}]


@pytest.mark.parametrize(
    ("query", "extension", "chosen", "seconds"),
    [
        ("mute=1", "mp4", "video", 5.48),  # the video begins later than the audio
        ("format=m4a", "m4a", "audio", 6),
        ("start=2&end=3.5", "mp4", "video and audio", 1.5),
        ("start=2", "mp4", "video and audio", 3.48),
    ],
)
def test_info_reports_the_requested_output(query: str, extension: str, chosen: str, seconds: float, media: Media, serve: Serve) -> None:
    report = ask(f"/info?{query}&url={serve(media('ts-separate-audio')).url('/main.m3u8')}", settings=SETTINGS).document
    kinds = [kind for kind, lines in (("video", report["variants"]), ("audio", report["audio"])) if any(line["chosen"] for line in lines)]
    assert " and ".join(kinds) == chosen
    assert report["file_name"].rpartition(".")[2] == extension
    assert report["seconds"] == pytest.approx(seconds, abs=0.2)


def test_audio_that_is_reencoded_without_being_asked_is_said_to_be(media: Media, serve: Serve) -> None:
    url = serve(media("packed-mp2")).url("/main.m3u8")
    said = {
        query: ask(f"/info?{query}url={url}", settings=SETTINGS).document["audio_reencoded"] for query in ("", "format=m4a&", "mute=1&")
    }
    assert said == {"": "mp2", "format=m4a&": None, "mute=1&": None}
    answer = ask(f"/download?url={url}", settings=SETTINGS)
    assert (answer.headers["x-audio-reencoded"], answer.notes["audio_reencoded"]) == ("mp2", "mp2")
    copied = ask(f"/download?url={serve(media('packed-aac')).url('/main.m3u8')}", settings=SETTINGS)
    assert "x-audio-reencoded" not in copied.headers
    assert "audio_reencoded" not in copied.notes


def test_info_and_head_fetch_no_segment(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-separate-audio"))
    for target, method in (("/info", "GET"), ("/info", "HEAD"), ("/download", "HEAD")):
        assert ask(f"{target}?url={origin.url('/main.m3u8')}", settings=SETTINGS, method=method).status == 200
    assert {request.path.rpartition(".")[2] for request in origin.requests} == {"m3u8"}


def test_the_download_link_of_info_works(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    report = ask(f"/a/path/info?url={origin.url('/main.m3u8')}?token=a%2Bb", settings=SETTINGS).document
    assert report["download"].startswith("/a/path/download?url=http%3A%2F%2F127.0.0.1")
    answer = ask(report["download"], settings=SETTINGS)
    assert answer.status == 200
    assert answer.body[4:8] == b"ftyp"
    assert [request.query for request in origin.requests_of("/main.m3u8")] == ["token=a%2Bb"] * 2


def test_info_can_be_cached_and_revalidated(media: Media, serve: Serve) -> None:
    target = f"/info?url={serve(media('ts-muxed')).url('/main.m3u8')}"
    first = ask(target, settings=SETTINGS)
    assert first.headers["cache-control"] == "public, max-age=60"
    repeated = ask(target, settings=SETTINGS, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (repeated.status, bytes(repeated.body)) == (304, b"")
    assert ask(target, settings=SETTINGS, headers={"if-none-match": '"other"'}).body == first.body


def test_head_has_the_headers_of_get(media: Media, serve: Serve) -> None:
    target = f"/download?url={serve(media('ts-separate-audio')).url('/main.m3u8')}"
    head, got = ask(target, settings=SETTINGS, method="HEAD"), ask(target, settings=SETTINGS)
    assert head.status == got.status == 200
    assert head.body == b""
    # The exact duration is known only after the first segments were probed, and timings differ from run to run.
    assert {**head.headers, "server-timing": ""} == {
        name: "" if name == "server-timing" else text for name, text in got.headers.items() if name != "x-content-duration"
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_head_fails_as_get_does(method: str, serve: Serve) -> None:
    origin = serve({"/live.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"})
    assert ask(f"/download?url={origin.url('/live.m3u8')}", settings=SETTINGS, method=method).problem[:2] == (422, "unsupported-source")
    assert ask(f"/download?url={origin.url('/none.m3u8')}", settings=SETTINGS, method=method).problem[:2] == (502, "upstream-failed")


def test_server_timing_lists_the_phases_before_the_first_byte(media: Media, serve: Serve) -> None:
    answer = ask(f"/download?url={serve(media('ts-muxed')).url('/main.m3u8')}", settings=SETTINGS)
    phases = [part.partition(";dur=") for part in answer.headers["server-timing"].split(", ")]
    assert [name for name, _, _ in phases] == ["source", "playlists", "media"]
    assert all(float(milliseconds) >= 0 for _, _, milliseconds in phases)


def test_caches_may_store_a_video_only_if_the_operator_allows_it(media: Media, serve: Serve) -> None:
    target = f"/download?url={serve(media('ts-muxed')).url('/main.m3u8')}"
    assert ask(target, settings=SETTINGS).headers["cache-control"] == "no-store"
    cacheable = ask(target, settings=Settings(allow_private=True, cache_seconds=600))
    assert cacheable.headers["cache-control"] == "public, max-age=600"


def test_an_unknown_parameter_is_an_error_that_names_it() -> None:
    for route in ("/download", "/info"):
        status, slug, detail = ask(f"{route}?hight=3&url=https://a.example/v.m3u8").problem
        assert (status, slug) == (400, "bad-request")
        assert "'hight' is not a parameter" in detail


@pytest.mark.parametrize("route", ["/download", "/info", "/"])
def test_with_signing_keys_only_signed_links_are_served(route: str, media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    values = {"url": origin.url("/main.m3u8"), "height": "720"}
    current = encode_query(sign(values, key=KEYS[0].encode(), expires=FAR_FUTURE))
    previous = encode_query(sign(values, key=KEYS[1].encode(), expires=FAR_FUTURE))
    for query in (current, previous):
        assert ask(f"{route}?{query}", settings=SIGNED_SETTINGS).status == 200
    requests = len(origin.requests)
    refused = {
        encode_query(values): "exp and sig are missing",
        current.replace("height=720", "height=721"): "is not valid",
        f"{current}&audio=de": "is not valid",
        encode_query(sign(values, key=b"somebody else's key", expires=FAR_FUTURE)): "is not valid",
        encode_query(sign(values, key=KEYS[0].encode(), expires=1)): "has expired",
    }
    for query, message in refused.items():
        status, slug, detail = ask(f"{route}?{query}", settings=SIGNED_SETTINGS).problem
        assert (status, slug) == (403, "bad-signature")
        assert message in detail
    assert len(origin.requests) == requests


def test_the_download_link_of_a_signed_info_expires_at_the_same_time(media: Media, serve: Serve) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    report = ask(f"/info?{encode_query(sign(values, key=KEYS[1].encode(), expires=FAR_FUTURE))}", settings=SIGNED_SETTINGS).document
    assert parse_query(report["download"].partition("?")[2]).values["exp"] == str(FAR_FUTURE)
    assert ask(report["download"], settings=SIGNED_SETTINGS, method="HEAD").status == 200


@pytest.mark.parametrize("path", ["/download", "/info", "/health", "/", "/favicon.ico"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused_and_those_that_are_allowed_are_named(method: str, accept: str, path: str) -> None:
    answer = ask(path, method=method, headers={"accept": accept})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert method.encode() in answer.body


def test_health_needs_no_signature() -> None:
    assert ask("/health", settings=SIGNED_SETTINGS).document["status"] == "ok"


def test_a_host_that_is_not_allowed_gets_no_request(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    status, slug, detail = ask(
        f"/download?url={origin.url('/main.m3u8')}", settings=Settings(allow_private=True, allowed_hosts=("reddit.com",))
    ).problem
    assert (status, slug, origin.requests) == (403, "forbidden-source", [])
    assert "reddit.com" in detail


def test_without_keys_an_old_signed_link_is_still_served(media: Media, serve: Serve) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    assert ask(f"/download?{encode_query(sign(values, key=b'any key', expires=1))}", settings=SETTINGS, method="HEAD").status == 200


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Settings]]:
    """Store keys in a Secrets Manager on loopback, and return the settings of a function that reads them from there."""
    with aws_services() as address:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": address}.items():
            monkeypatch.setenv(name, value)
        with closing(boto3.client("secretsmanager")) as client:
            yield lambda text: SETTINGS._replace(signing_secret_arn=client.create_secret(Name=str(uuid4()), SecretString=text)["ARN"])


def test_keys_are_read_from_a_secret(media: Media, serve: Serve, secret: Callable[[str], Settings]) -> None:
    values = {"url": serve(media("ts-muxed")).url("/main.m3u8")}
    valid, forged = (encode_query(sign(values, key=key, expires=FAR_FUTURE)) for key in (KEYS[1].encode(), b"somebody else's key"))
    answers = ask_all([f"/info?{query}" for query in (valid, forged, valid)], settings=secret("\n".join(KEYS)))
    assert [answer.status for answer in answers] == [200, 403, 200]


def test_a_short_key_is_an_error_of_the_operator(secret: Callable[[str], Settings]) -> None:
    assert ask("/info?url=https://a.example/v.m3u8", settings=secret("short")).problem[0] == 500
    with pytest.raises(BadRequestError, match="shorter than 16"):
        ask("/health", settings=SETTINGS._replace(signing_keys=("short",)))


def test_on_lambda_only_reddits_hosts_are_allowed_by_default() -> None:
    assert Settings.from_env(bootstrap.LAMBDA_DEFAULTS).allowed_hosts == ("reddit.com", "redd.it")
    assert Settings.from_env(Options().runtime_environ("127.0.0.1:1") | {"TRANSCODER_ATTEMPTS": "1"}).allowed_hosts == ()
    assert Settings.from_env({}).allowed_hosts == ()
