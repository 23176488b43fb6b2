"""Playlists in private buckets: what they name in the same bucket is fetched with the function's permissions, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.application import ask
from peers.aws_services import CREDENTIALS
from peers.origin import GOOD, Origin, Request, Rule
from peers.source_files import files_in

from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=1, allowed_buckets=("videos",))


def is_signed(request: Request) -> bool:
    return "X-Amz-Signature=" in request.query


@pytest.fixture
def private(media: Media, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Origin:
    """An S3 that serves only signed requests. It takes any signature: AWS checks its own."""
    name = "ts-separate-audio"
    origin = serve({f"/videos/a b{path}": data for path, data in files_in(media(name)).items()})
    origin.decide = lambda request, _earlier: GOOD if is_signed(request) else Rule(status=403)
    for variable, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": origin.url("")}.items():
        monkeypatch.setenv(variable, value)
    return origin


@pytest.mark.parametrize("layout", ["fragmented", "plain"])
def test_everything_in_the_bucket_is_signed(layout: str, private: Origin) -> None:
    answer = ask(f"/download?layout={layout}&url=s3://videos/a b/main.m3u8", settings=SETTINGS)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert len({request.path for request in private.requests}) > 3
    assert all(is_signed(request) for request in private.requests)


def test_addresses_elsewhere_are_not_signed(private: Origin, serve: Serve, media: Media) -> None:
    elsewhere = serve(files_in(media("ts-muxed")))
    files = private.files
    assert isinstance(files, dict)
    text = files_in(media("ts-muxed"))["/main.m3u8"].decode()
    files["/videos/a b/main.m3u8"] = text.replace("segment-", elsewhere.url("/segment-")).encode()
    assert ask("/download?url=s3://videos/a b/main.m3u8", settings=SETTINGS).status == 200
    assert elsewhere.requests
    assert not [request for request in elsewhere.requests if is_signed(request)]


def test_a_bucket_that_is_not_allowed_is_not_signed_for(private: Origin) -> None:
    files = private.files
    assert isinstance(files, dict)
    files["/secrets/segment-0.ts"] = b"G" + bytes(187)
    main = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/secrets/segment-0.ts\n#EXT-X-ENDLIST\n"
    files["/videos/a b/main.m3u8"] = main
    assert ask("/download?url=s3://videos/a b/main.m3u8", settings=SETTINGS).problem[0] == 502
    assert not [request for request in private.requests if request.path.startswith("/secrets") and is_signed(request)]


def test_a_playlist_elsewhere_does_not_lead_to_the_bucket(private: Origin, serve: Serve) -> None:
    url = private.url("/videos/a%20b/segment-0.ts")
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n"
    assert ask(f"/download?url={serve({'/main.m3u8': text.encode()}).url('/main.m3u8')}", settings=SETTINGS).problem[0] == 502
    assert not [request for request in private.requests if is_signed(request)]
