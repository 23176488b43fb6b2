"""Indexes of plain MP4s as bytes, and in a bucket that all execution environments share."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import Serve
from peers.application import Answered, ask
from peers.aws_services import CREDENTIALS, aws_services
from peers.large_source import write_large_source
from peers.origin import Origin
from peers.plain_files import index_of, part_of

from transcoder.errors import ChangedFileError
from transcoder.pipeline.index_store import LEAST_SEGMENTS
from transcoder.pipeline.plain_file import RECIPE
from transcoder.pipeline.plain_file_bytes import from_bytes, to_bytes
from transcoder.settings import Settings

Media = Callable[[str], Path]
SEGMENTS = LEAST_SEGMENTS
SEGMENT_BYTES = 20_000
HEADS = SEGMENTS + 1
"""The first segment is asked for twice, which shows whether its origin names the same version each time."""
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, bucket="service")


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with aws_services() as address:
        yield address


@pytest.fixture(scope="module")
def environment(s3: str) -> Mapping[str, str]:
    """Variables of the AWS SDK. They tell this process, as they tell the function, where the bucket is, and they contain its keys."""
    return {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": s3}


@pytest.fixture(scope="module")
def made_bucket(environment: Mapping[str, str]) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        return boto3.session.Session().resource("s3").create_bucket(Bucket="service")


@pytest.fixture
def bucket(made_bucket: Any, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, which the settings name."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made_bucket.objects.all().delete()
    return made_bucket


@pytest.fixture(scope="module")
def files(media: Media) -> Mapping[str, bytes]:
    return dict(write_large_source(media, segments=SEGMENTS, segment_bytes=SEGMENT_BYTES))


@pytest.fixture
def origin(files: Mapping[str, bytes], serve: Serve) -> Origin:
    return serve({**files})


def first_bytes(origin: Origin, settings: Settings = SETTINGS) -> Answered:
    """Ask a new execution environment for the beginning of the file."""
    return ask(f"/download?layout=plain&url={origin.url('/main.m3u8')}", settings=settings, headers={"range": "bytes=0-99999"})


def heads(origin: Origin) -> int:
    """Return how many requests for parts of segments there have been."""
    return sum(request.path.endswith(".m4s") for request in origin.requests)


def test_an_index_is_the_same_after_it_was_bytes(origin: Origin) -> None:
    file = index_of(origin.url("/main.m3u8")).file
    found = from_bytes(to_bytes(file))
    assert (found.etag, found.length, found.heads, found.movie.samples) == (file.etag, file.length, HEADS, file.movie.samples)
    assert (found.resources, found.movie.seconds) == (file.resources, file.movie.seconds)
    assert part_of(found) == part_of(file)


def test_bytes_that_are_not_a_whole_index_are_refused(origin: Origin) -> None:
    data = to_bytes(index_of(origin.url("/main.m3u8")).file)
    line = data.index(b"\n")
    changed = [data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] for place in (line + 1, len(data) // 2, len(data) - 1)]
    others = [b"", b"{}\n", b"[]\n" + data[line + 1 :], data[:line], data[:-1], data + b"\0", data.replace(RECIPE.encode(), b"plain-0", 1)]
    for each in (*changed, *others):
        with pytest.raises(ValueError, match=r"These bytes|Expecting value"):
            from_bytes(each)


def test_another_environment_does_not_make_the_index_again(origin: Origin, bucket: Any) -> None:
    first = first_bytes(origin)
    assert (first.status, first.notes["index_heads"]) == (206, HEADS)
    read = heads(origin)
    second = first_bytes(origin)
    assert (second.body, second.headers["etag"]) == (first.body, first.headers["etag"])
    assert second.notes["index_heads"] == 0
    assert 'desc="from the bucket"' in second.headers["server-timing"]
    assert heads(origin) - read == read - HEADS  # nothing but the media of the range
    assert [each.key[:8] for each in bucket.objects.all()] == ["indexes/"]


def test_an_index_of_few_heads_is_not_stored(media: Media, serve: Serve, bucket: Any) -> None:
    origin = serve(dict(write_large_source(media, segments=LEAST_SEGMENTS - 1, segment_bytes=SEGMENT_BYTES)))
    assert [first_bytes(origin).notes["index_heads"] for _ in range(2)] == [LEAST_SEGMENTS] * 2
    assert list(bucket.objects.all()) == []


def test_an_index_may_be_exactly_as_long_as_what_is_kept(origin: Origin, bucket: Any) -> None:
    first_bytes(origin)
    (stored,) = bucket.objects.all()
    length = stored.size
    for limit, is_kept in ((length - 1, False), (length, True)):
        bucket.objects.all().delete()
        assert [first_bytes(origin, SETTINGS._replace(index_cache_bytes=limit)).notes["index_heads"] for _ in range(2)] == [
            HEADS,
            0 if is_kept else HEADS,
        ]
        assert len(list(bucket.objects.all())) == is_kept


def test_a_damaged_index_is_made_again(origin: Origin, bucket: Any) -> None:
    whole = first_bytes(origin).body
    (stored,) = bucket.objects.all()
    stored.put(Body=stored.get()["Body"].read()[:-1])
    again = first_bytes(origin)
    assert (again.body, again.notes["index_heads"]) == (whole, HEADS)
    assert "not all of one" in str(again.notes["index_bucket_problem"])
    assert first_bytes(origin).notes["index_heads"] == 0


def test_the_index_of_a_source_that_has_changed_is_forgotten(origin: Origin, bucket: Any) -> None:
    etag = first_bytes(origin).headers["etag"]
    files = origin.files
    assert isinstance(files, dict)
    files["/segment0.m4s"] = files["/segment0.m4s"][:-1] + b"\0"
    with pytest.raises(ChangedFileError):
        first_bytes(origin)
    assert list(bucket.objects.all()) == []
    changed = first_bytes(origin)
    assert (changed.status, changed.headers["etag"] == etag) == (206, False)


@pytest.mark.parametrize(("name", "problem"), [("nobody", "NoSuchBucket"), ("service", "EndpointConnectionError")])
def test_a_bucket_that_cannot_be_used_is_only_noted(
    name: str,
    problem: str,
    origin: Origin,
    bucket: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if problem == "EndpointConnectionError":
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    answer = first_bytes(origin, Settings(allow_private=True, bucket=name))
    assert (answer.status, answer.notes["index_heads"]) == (206, HEADS)
    assert answer.notes["index_bucket_problem"] == problem
    assert list(bucket.objects.all()) == []
