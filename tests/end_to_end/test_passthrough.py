"""What is no playlist is passed on as it is: through the emulated Function URL and the command line, from HTTP and from S3."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from conftest import Serve
from moto.server import ThreadedMotoServer
from peers.get_command import get
from peers.origin import Rule
from peers.running_emulator import curl, emulated, http

from transcoder.emulator import Options, Running

DATA = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 4000
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def service(store: str) -> Iterator[Running]:
    settings = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ALLOWED_BUCKETS": "films", "TRANSCODER_RESPONSE_LIMIT": "2000000"}
    environ = {**os.environ, **CREDENTIALS, **settings, "AWS_ENDPOINT_URL_S3": store, "TRANSCODER_RETRY_SECONDS": "0.01"}
    with emulated(Options(environ=environ)) as running:
        yield running


def test_a_file_comes_as_it_is(service: Running, serve: Serve) -> None:
    origin = serve({"/a/My Film.mp4": DATA})
    answer = http.get(service.url + "/download", params={"url": origin.url("/a/My%20Film.mp4")})
    assert (answer.status_code, answer.content == DATA) == (200, True)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == 'attachment; filename="My Film.mp4"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-length-estimate"] == str(len(DATA))
    assert answer.headers["etag"]
    assert origin.sent < 2 * len(DATA)  # that it is no playlist is known from its first bytes


@pytest.mark.parametrize(
    ("part", "status", "expected", "content_range"),
    [
        ("bytes=0-9", 206, DATA[:10], f"bytes 0-9/{len(DATA)}"),
        ("bytes=100000-", 206, DATA[100000:], f"bytes 100000-{len(DATA) - 1}/{len(DATA)}"),
        ("bytes=-5", 206, DATA[-5:], f"bytes {len(DATA) - 5}-{len(DATA) - 1}/{len(DATA)}"),
        ("bytes=0-1,5-6", 200, DATA, None),
        ("lines=1-2", 200, DATA, None),
    ],
)
def test_a_part_is_passed_in_both_directions(
    part: str, status: int, expected: bytes, content_range: str | None, service: Running, serve: Serve
) -> None:
    origin = serve({"/film.mp4": DATA})
    answer = http.get(service.url + "/download", params={"url": origin.url("/film.mp4")}, headers={"Range": part})
    assert (answer.status_code, answer.content == expected) == (status, True)
    assert answer.headers.get("content-range") == content_range


def test_a_part_that_is_not_there_is_told(service: Running, serve: Serve) -> None:
    url = serve({"/film.mp4": DATA}).url("/film.mp4")
    answer = http.get(service.url + "/download", params={"url": url}, headers={"Range": "bytes=9000000-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_if_range_decides_at_the_origin(service: Running, serve: Serve) -> None:
    url = serve({"/film.mp4": DATA}).url("/film.mp4")
    etag = http.get(service.url + "/download", params={"url": url}).headers["etag"]
    for condition, status in ((etag, 206), ('"another"', 200)):
        headers = {"Range": "bytes=5-9", "If-Range": condition}
        assert http.get(service.url + "/download", params={"url": url}, headers=headers).status_code == status


def test_head_tells_what_would_come(service: Running, serve: Serve) -> None:
    origin = serve({"/film.mp4": DATA})
    answer = http.head(service.url + "/download", params={"url": origin.url("/film.mp4")})
    assert (answer.status_code, answer.headers["x-content-length-estimate"]) == (200, str(len(DATA)))
    assert origin.sent < len(DATA)


def test_an_origin_that_breaks_off_is_asked_for_the_rest(service: Running, serve: Serve) -> None:
    origin = serve({"/film.mp4": DATA})
    origin.rules["/film.mp4"] = [Rule(times=1), Rule(cut_after=300_000, times=1)]
    answer = http.get(service.url + "/download", params={"url": origin.url("/film.mp4")})
    assert answer.content == DATA


def test_an_origin_that_stays_away_is_no_clean_end(service: Running, serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/film.mp4": DATA})
    origin.rules["/film.mp4"] = [Rule(times=1), Rule(cut_after=300_000, times=1), Rule(status=500)]
    assert curl(tmp_path, f"{service.url}/download?url={origin.url('/film.mp4')}").exit_code == 18


def test_what_is_too_large_is_refused_but_its_parts_are_not(service: Running, serve: Serve) -> None:
    url = serve({"/film.mp4": DATA * 2}).url("/film.mp4")
    answer = http.get(service.url + "/download", params={"url": url})
    assert (answer.status_code, "Range" in answer.json()["detail"]) == (413, True)
    assert http.get(service.url + "/download", params={"url": url}, headers={"Range": "bytes=1-2"}).content == DATA[1:3]


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<!DOCTYPE html><title>No</title>", "a web page"), (b"<MPD></MPD>", "a DASH manifest"), (b'{"error": 1}', "not an HLS playlist")],
)
def test_pages_and_errors_are_no_files(body: bytes, words: str, service: Running, serve: Serve) -> None:
    answer = http.get(service.url + "/download", params={"url": serve({"/film.mp4.html": body}).url("/film.mp4.html")})
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True)


def test_a_file_of_nothing_is_refused(service: Running, serve: Serve) -> None:
    answer = http.get(service.url + "/download", params={"url": serve({"/film.mp4": b""}).url("/film.mp4")})
    assert (answer.status_code, "sent nothing" in answer.json()["detail"]) == (502, True)


@pytest.mark.parametrize(
    ("choice", "status"), [({"start": "1"}, 422), ({"format": "mp3"}, 422), ({"fit": "1MB"}, 413), ({"fit": "2MB"}, 200)]
)
def test_choices_for_a_file(choice: dict[str, str], status: int, service: Running, serve: Serve) -> None:
    url = serve({"/film.webm": DATA}).url("/film.webm")
    assert http.get(service.url + "/download", params={**choice, "url": url}).status_code == status


def test_the_command_line_saves_a_file(serve: Serve, tmp_path: Path) -> None:
    done = get(serve({"/film.webm": DATA}).url("/film.webm"), tmp_path / "ours.webm")
    assert (done.returncode, (tmp_path / "ours.webm").read_bytes() == DATA) == (0, True), done.stderr


def test_what_proves_who_asks_does_not_follow_a_redirect(serve: Serve, tmp_path: Path) -> None:
    there, here = serve({"/film.webm": DATA}), serve({})
    here.rules["/film.webm"] = Rule(redirect=there.url("/film.webm").replace("127.0.0.1", "localhost"))
    done = get(here.url("/film.webm"), tmp_path / "ours.webm", "--header", "Authorization: Bearer secret")
    assert (done.returncode, (tmp_path / "ours.webm").read_bytes() == DATA) == (0, True), done.stderr
    assert [request.headers.get("authorization") for request in here.requests] == ["Bearer secret"] * 2
    assert [request.headers.get("authorization") for request in there.requests] == [None] * 2


def test_the_command_line_leaves_nothing_of_a_file_that_broke_off(serve: Serve, tmp_path: Path) -> None:
    origin = serve({"/film.webm": DATA})
    origin.rules["/film.webm"] = [Rule(times=1), Rule(cut_after=300_000, times=1), Rule(status=404)]
    assert get(origin.url("/film.webm"), tmp_path / "ours.webm").returncode == 4
    assert not list(tmp_path.iterdir())


def test_an_object_of_a_bucket_that_is_allowed_is_passed_on(service: Running, store: str) -> None:
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")  # noqa: S106
    for bucket in ("films", "secrets"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a/My Film.mp4", Body=DATA, ContentType="video/mp4")
    answer = http.get(service.url + "/download", params={"url": "s3://films/a/My Film.mp4"}, headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert 'filename="My Film.mp4"' in answer.headers["content-disposition"]
    assert http.get(service.url + "/download", params={"url": "s3://films/none.mp4"}).status_code == 502
    refused = http.get(service.url + "/download", params={"url": "s3://secrets/a/My Film.mp4"})
    assert (refused.status_code, "bucket secrets" in refused.json()["detail"]) == (403, True)
