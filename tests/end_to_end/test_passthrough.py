"""Files that are not playlists pass through unchanged: over the emulated Function URL and the command line, from HTTP and from S3."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from conftest import Serve
from peers.aws_services import CREDENTIALS, aws_services
from peers.get_command import get
from peers.origin import Rule
from peers.running_emulator import curl, emulated, http

from transcoder.emulator import Options, Running
from transcoder.settings import Settings

DATA = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with aws_services() as address:
        yield address


@pytest.fixture(scope="module")
def service(s3: str) -> Iterator[Running]:
    settings = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ALLOWED_BUCKETS": "videos", "TRANSCODER_RESPONSE_LIMIT": "2000000"}
    environ = {**os.environ, **CREDENTIALS, **settings, "AWS_ENDPOINT_URL_S3": s3, "TRANSCODER_RETRY_SECONDS": "0.01"}
    with emulated(Options(environ=environ)) as running:
        yield running


def test_a_file_passes_through_unchanged(service: Running, serve: Serve) -> None:
    origin = serve({"/a/My Video.mp4": DATA})
    response = http.get(service.url + "/download", params={"url": origin.url("/a/My%20Video.mp4")})
    assert (response.status_code, response.content == DATA) == (200, True)
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-disposition"] == 'attachment; filename="My Video.mp4"'
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["x-content-length-estimate"] == str(len(DATA))
    assert response.headers["etag"]
    assert origin.sent < 2 * len(DATA)  # the first bytes already show that it is not a playlist


@pytest.mark.parametrize(
    ("requested", "status", "expected", "content_range"),
    [
        ("bytes=0-9", 206, DATA[:10], f"bytes 0-9/{len(DATA)}"),
        ("bytes=100000-", 206, DATA[100000:], f"bytes 100000-{len(DATA) - 1}/{len(DATA)}"),
        ("bytes=-5", 206, DATA[-5:], f"bytes {len(DATA) - 5}-{len(DATA) - 1}/{len(DATA)}"),
        ("bytes=0-1,5-6", 200, DATA, None),
        ("lines=1-2", 200, DATA, None),
    ],
)
def test_a_byte_range_is_passed_on_to_the_origin(
    requested: str, status: int, expected: bytes, content_range: str | None, service: Running, serve: Serve
) -> None:
    origin = serve({"/video.mp4": DATA})
    response = http.get(service.url + "/download", params={"url": origin.url("/video.mp4")}, headers={"Range": requested})
    assert (response.status_code, response.content == expected) == (status, True)
    assert response.headers.get("content-range") == content_range


def test_a_byte_range_beyond_the_end_is_not_satisfiable(service: Running, serve: Serve) -> None:
    url = serve({"/video.mp4": DATA}).url("/video.mp4")
    response = http.get(service.url + "/download", params={"url": url}, headers={"Range": "bytes=9000000-"})
    assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_if_range_is_evaluated_by_the_origin(service: Running, serve: Serve) -> None:
    url = serve({"/video.mp4": DATA}).url("/video.mp4")
    etag = http.get(service.url + "/download", params={"url": url}).headers["etag"]
    for condition, status in ((etag, 206), ('"another"', 200)):
        headers = {"Range": "bytes=5-9", "If-Range": condition}
        assert http.get(service.url + "/download", params={"url": url}, headers=headers).status_code == status


def test_head_gives_the_size_without_fetching_the_file(service: Running, serve: Serve) -> None:
    origin = serve({"/video.mp4": DATA})
    response = http.head(service.url + "/download", params={"url": origin.url("/video.mp4")})
    assert (response.status_code, response.headers["x-content-length-estimate"]) == (200, str(len(DATA)))
    assert origin.sent < len(DATA)


def test_a_transfer_that_the_origin_cuts_is_resumed(service: Running, serve: Serve) -> None:
    origin = serve({"/video.mp4": DATA})
    origin.rules["/video.mp4"] = [Rule(times=1), Rule(cut_after=300_000, times=1)]
    response = http.get(service.url + "/download", params={"url": origin.url("/video.mp4")})
    assert response.content == DATA


def test_a_transfer_that_cannot_be_resumed_does_not_end_cleanly(service: Running, serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/video.mp4": DATA})
    origin.rules["/video.mp4"] = [Rule(times=1), Rule(cut_after=300_000, times=1), Rule(status=500)]
    assert curl(tmp_path, f"{service.url}/download?url={origin.url('/video.mp4')}").exit_code == 18


def test_a_file_that_is_too_large_is_refused_but_its_byte_ranges_are_served(service: Running, serve: Serve) -> None:
    url = serve({"/video.mp4": DATA * 2}).url("/video.mp4")
    response = http.get(service.url + "/download", params={"url": url})
    assert (response.status_code, "Range" in response.json()["detail"]) == (413, True)
    assert http.get(service.url + "/download", params={"url": url}, headers={"Range": "bytes=1-2"}).content == DATA[1:3]


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"<!DOCTYPE html><title>No</title>", "a web page"), (b"<MPD></MPD>", "a DASH manifest"), (b'{"error": 1}', "not an HLS playlist")],
)
def test_web_pages_and_error_documents_are_refused(body: bytes, message: str, service: Running, serve: Serve) -> None:
    response = http.get(service.url + "/download", params={"url": serve({"/video.mp4.html": body}).url("/video.mp4.html")})
    assert (response.status_code, message in response.json()["detail"]) == (422, True)


def test_an_empty_file_is_refused(service: Running, serve: Serve) -> None:
    response = http.get(service.url + "/download", params={"url": serve({"/video.mp4": b""}).url("/video.mp4")})
    assert (response.status_code, "sent nothing" in response.json()["detail"]) == (502, True)


@pytest.mark.parametrize(
    ("parameters", "status"), [({"start": "1"}, 422), ({"format": "mp3"}, 422), ({"fit": "1MB"}, 413), ({"fit": "2MB"}, 200)]
)
def test_only_fit_applies_to_a_file(parameters: dict[str, str], status: int, service: Running, serve: Serve) -> None:
    url = serve({"/video.webm": DATA}).url("/video.webm")
    assert http.get(service.url + "/download", params={**parameters, "url": url}).status_code == status


def test_a_browser_runs_nothing_in_a_file_and_caches_are_told_only_what_is_valid(service: Running, serve: Serve) -> None:
    origin = serve({"/x.mp4": DATA})
    hostile = {"Content-Type": "text/html", "ETag": '"' + "a" * 16_000 + '"', "Last-Modified": "b" * 16_000}
    origin.rules["/x.mp4"] = Rule(headers=hostile)
    response = http.get(service.url + "/download", params={"url": origin.url("/x.mp4")})
    assert (response.status_code, response.content == DATA) == (200, True)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-security-policy"] == "sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"].startswith("attachment;")
    assert not {"etag", "last-modified"} & set(response.headers)


def test_a_file_may_be_longer_than_a_playlist(serve: Serve, tmp_path: Path) -> None:
    body = DATA * 20
    origin = serve({"/video.webm": body})
    assert len(body) > Settings().max_playlist_bytes
    result = get(origin.url("/video.webm"), tmp_path / "output.webm")
    assert (result.returncode, (tmp_path / "output.webm").read_bytes() == body) == (0, True), result.stderr


@pytest.mark.parametrize("rule", [Rule(), Rule(chunked=True), Rule(gzip=True)])
def test_a_file_that_is_too_long_leaves_nothing(rule: Rule, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = serve({"/video.webm": DATA})
    origin.rules["/video.webm"] = rule
    monkeypatch.setenv("TRANSCODER_MAX_FILE_BYTES", "500000")
    result = get(origin.url("/video.webm"), tmp_path / "output.webm")
    assert (result.returncode, b"longer than 500000 bytes" in result.stderr, list(tmp_path.iterdir())) == (3, True, [])


NO_MEDIA = {
    "a script with the type of a video": (b"#!/bin/sh\nrm -rf /\n", "video/mp4"),
    "a script with bytes that are no text": (b"#!/bin/sh\n\xff\xfe\0\0", "application/x-sh"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(1000), "video/mp4"),
    "a program of another system": (b"MZ\x90\0" + bytes(1000), ""),
    "an archive": (b"PK\3\4" + bytes(1000), "video/webm"),
    "a document": (b"%PDF-1.7\n\xff\xff\xff\xff" + bytes(1000), "application/pdf"),
    "subtitles": (b"WEBVTT\n\n", "text/vtt"),
    "text in UTF-16": ("\ufeffecho".encode("utf-16-le"), "video/mp4"),
}


@pytest.mark.parametrize("name", list(NO_MEDIA))
def test_the_command_line_refuses_what_is_no_media_unless_it_is_asked_for(name: str, serve: Serve, tmp_path: Path) -> None:
    body, kind = NO_MEDIA[name]
    origin, output = serve({"/x.mp4": body}), tmp_path / "x.mp4"
    origin.rules["/x.mp4"] = Rule(headers={"Content-Type": kind})
    result = get(origin.url("/x.mp4"), output)
    assert (result.returncode, b"--format file" in result.stderr, list(tmp_path.iterdir())) == (3, True, [])
    assert get(origin.url("/x.mp4"), output, "--format", "file").returncode == 0
    assert output.read_bytes() == body


def test_what_turns_out_to_be_no_media_when_it_is_fetched_is_refused(serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/x.mp4": DATA})
    origin.rules["/x.mp4"] = [Rule(times=1), Rule(body=b"#!/bin/sh\n" * 100)]
    result = get(origin.url("/x.mp4"), tmp_path / "x.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (3, [])


def test_a_local_file_that_is_no_media_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_bytes(b"#!/bin/sh\n\xff\0")
    result = get(str(tmp_path / "x.sh"), tmp_path / "x.mp4")
    assert (result.returncode, (tmp_path / "x.mp4").exists()) == (3, False)
    assert result.stderr.startswith(b"transcoder: x.sh is neither")


@pytest.mark.parametrize("options", [["--start", "1"], ["--mute"], ["--height", "360"], ["--audio-codec", "copy"]])
def test_a_file_as_it_is_is_not_changed(options: list[str], serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/x.mp4": DATA})
    result = get(origin.url("/x.mp4"), tmp_path / "x.mp4", "--format", "file", *options)
    assert (result.returncode, b"format: file" in result.stderr, origin.requests) == (2, True, [])


def test_a_playlist_is_no_file(service: Running, serve: Serve) -> None:
    url = serve({"/x.m3u8": b"#EXTM3U\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n"}).url("/x.m3u8")
    response = http.get(service.url + "/download", params={"url": url, "format": "file"})
    assert (response.status_code, "is for files" in response.json()["detail"]) == (422, True)


def test_the_command_line_saves_a_file(serve: Serve, tmp_path: Path) -> None:
    result = get(serve({"/video.webm": DATA}).url("/video.webm"), tmp_path / "output.webm")
    assert (result.returncode, (tmp_path / "output.webm").read_bytes() == DATA) == (0, True), result.stderr


def test_credentials_are_not_sent_to_another_host_after_a_redirect(serve: Serve, tmp_path: Path) -> None:
    target, redirecting = serve({"/video.webm": DATA}), serve({})
    redirecting.rules["/video.webm"] = Rule(redirect=target.url("/video.webm").replace("127.0.0.1", "localhost"))
    result = get(redirecting.url("/video.webm"), tmp_path / "output.webm", "--header", "Authorization: Bearer secret")
    assert (result.returncode, (tmp_path / "output.webm").read_bytes() == DATA) == (0, True), result.stderr
    assert [request.headers.get("authorization") for request in redirecting.requests] == ["Bearer secret"] * 2
    assert [request.headers.get("authorization") for request in target.requests] == [None] * 2


def test_the_command_line_leaves_no_file_after_an_incomplete_transfer(serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/video.webm": DATA})
    origin.rules["/video.webm"] = [Rule(times=1), Rule(cut_after=300_000, times=1), Rule(status=404)]
    assert get(origin.url("/video.webm"), tmp_path / "output.webm").returncode == 4
    assert not list(tmp_path.iterdir())


def test_an_object_in_an_allowed_bucket_passes_through(service: Running, s3: str) -> None:
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")  # noqa: S106
    for bucket in ("videos", "secrets"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a/My Video.mp4", Body=DATA, ContentType="video/mp4")
    response = http.get(service.url + "/download", params={"url": "s3://videos/a/My Video.mp4"}, headers={"Range": "bytes=4-7"})
    assert (response.status_code, response.content, response.headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert 'filename="My Video.mp4"' in response.headers["content-disposition"]
    assert http.get(service.url + "/download", params={"url": "s3://videos/none.mp4"}).status_code == 502
    refused = http.get(service.url + "/download", params={"url": "s3://secrets/a/My Video.mp4"})
    assert (refused.status_code, "bucket secrets" in refused.json()["detail"]) == (403, True)
