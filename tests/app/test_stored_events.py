"""`/events` of files that are made in the bucket: progress, then its address. After a failure nothing is left in the bucket."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import LargeSource, Serve
from peers import media_reader
from peers.application import Answered, ask
from peers.origin import GOOD, Origin, Rule
from peers.origin import Request as OriginRequest
from peers.source_files import files_in, variant_of
from peers.storage import BUCKET, Storage, refuse

from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.request.signing import encode_query, sign
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, bucket=BUCKET)
SLOW = SETTINGS._replace(connections=1, ahead_bytes=1)
KEY = "a key that is long enough"


def get(
    origin: Origin, parameters: str = "deliver=s3", *, settings: Settings = SETTINGS, into: Answered | None = None
) -> list[dict[str, Any]]:
    """Return the events."""
    target = f"/events?{parameters}&url={origin.url('/main.m3u8')}"
    answer = ask(target, settings=settings, headers={"accept": "application/x-ndjson"}, into=into)
    assert answer.status == 200
    events = [json.loads(line) for line in bytes(answer.body).splitlines()]
    return [event for event in events if event["event"] != "waiting"]


@pytest.mark.usefixtures("no_leaks")
def test_progress_rises_and_ends_with_the_address_of_the_file(origin: Origin, s3: Storage, tmp_path: Path) -> None:
    origin.decide = lambda request, _earlier: Rule(delay=1.2) if request.path.endswith(".ts") else GOOD
    resolved, *progress, done = get(origin, settings=SLOW)
    assert (resolved["event"], resolved["file_name"]) == ("resolved", "video.mp4")
    assert {report["event"] for report in progress} == {"progress"}
    assert [report["bytes"] for report in progress] == sorted(report["bytes"] for report in progress)
    assert 0 < progress[-1]["bytes"] <= origin.sent
    assert (done["event"], done["layout"], done["accept"], done["expires_in"]) == ("done", "plain", None, 3600)
    body = httpx.get(done["file"]).content
    assert done["bytes"] == len(body)
    (tmp_path / "video.mp4").write_bytes(body)
    assert media_reader.is_whole(tmp_path / "video.mp4")
    followed = ask(done["download"], settings=SETTINGS)
    assert (followed.status, httpx.get(followed.headers["location"]).content == body) == (303, True)
    assert len(s3.keys) == 1


def test_the_bytes_of_a_segment_count_while_it_arrives(media: Media, serve: Serve, s3: Storage) -> None:
    segment = b"".join(data for path, data in sorted(files_in(media("ts-muxed")).items()) if path.endswith(".ts"))
    origin = serve({"/video.ts": segment})
    origin.decide = lambda request, _earlier: Rule(trickle=(len(segment) // 60, 0.1)) if "range" not in request.headers else GOOD
    at: list[int] = []

    class Watching(Answered):
        async def write(self, chunk: bytes) -> None:
            at.extend([origin.sent] if b'"progress"' in chunk else [])
            await super().write(chunk)

    answer = ask(f"/events?deliver=s3&url={origin.url('/video.ts')}", settings=SETTINGS, into=Watching())
    reports = [json.loads(line[5:]) for line in bytes(answer.body).splitlines() if line.startswith(b"data:") and b'"progress"' in line]
    assert reports
    assert len(s3.keys) == 1
    for sent, report in zip(at, reports, strict=True):
        assert sent - 100_000 < report["bytes"] <= sent


def test_what_is_there_is_not_made_again(origin: Origin, s3: Storage) -> None:
    get(origin)
    origin.requests.clear()
    s3.operations.clear()
    assert [event["event"] for event in get(origin)] == ["resolved", "done"]
    assert ([request.path for request in origin.requests], s3.operations) == (["/main.m3u8"], ["HeadObject"])


def test_what_download_would_not_make_in_silence_is_made_here(origin: Origin, s3: Storage) -> None:
    """Else each of the two would name the other, and nothing would ever be made."""
    variant_of(1_000_000, origin)
    impatient = SETTINGS._replace(silent_seconds=0.01)
    status, _, detail = ask(f"/download?layout=plain&url={origin.url('/main.m3u8')}", settings=impatient).problem
    assert (status, "GET /events with the same parameters and deliver=s3" in detail) == (413, True)
    *_, done = get(origin, "layout=plain", settings=impatient)
    assert (done["event"], len(s3.keys)) == ("done", 1)
    assert httpx.get(done["file"], timeout=20).status_code == 200


@pytest.mark.parametrize("parameters", ["deliver=auto", "layout=plain"])
def test_auto_makes_what_a_response_cannot_have(parameters: str, origin: Origin, s3: Storage) -> None:
    variant_of(1_000_000, origin)
    *_, done = get(origin, parameters)
    assert (s3.operations, "file" in done, "deliver" in done["download"].replace(parameters, "")) == ([], False, False)
    *_, done = get(origin, parameters, settings=SETTINGS._replace(response_limit=500_000))
    assert (len(s3.keys), "deliver=s3" in done["download"], done["layout"]) == (1, True, "plain")


def test_auto_makes_of_a_map_what_a_response_cannot_have(media: Media, serve: Serve, s3: Storage) -> None:
    origin = serve(media("fmp4-separate-audio"))
    *_, done = get(origin, "layout=plain")
    assert ("file" in done, s3.operations) == (False, [])
    *_, done = get(origin, "layout=plain", settings=SETTINGS._replace(response_limit=60_000))
    assert httpx.get(done["file"]).status_code == 200


def test_what_does_not_fit_is_a_failure_where_a_stream_is_asked_for(origin: Origin, s3: Storage) -> None:
    small = SETTINGS._replace(response_limit=500_000)
    *_, failed = get(variant_of(1_000_000, origin), "layout=plain&deliver=stream", settings=small)
    assert (failed["event"], failed["status"], s3.operations) == ("failed", 413, [])


def test_a_source_that_fails_is_the_last_event(origin: Origin, s3: Storage) -> None:
    origin.rules["/segment-2.ts"] = Rule(status=404)
    *_, failed = get(origin)
    assert (failed["event"], failed["type"]) == ("failed", "urn:problem-type:transcoder:upstream-failed")
    assert s3.keys == []


@pytest.mark.parametrize("operation", ["HeadObject", "PutObject"])
def test_a_bucket_that_refuses_is_the_last_event(operation: str, origin: Origin, s3: Storage) -> None:
    s3.decide = refuse(operation)
    answer = Answered()
    *_, failed = get(origin, into=answer)
    assert (failed["event"], failed["status"], answer.notes["outcome"]) == ("failed", 507, "no-storage")
    assert answer.notes["bucket_problem"] in {"403", "AccessDenied"}


@pytest.mark.usefixtures("no_leaks")
def test_time_that_is_up_leaves_nothing(large_source: LargeSource, serve: Serve, s3: Storage) -> None:
    origin = serve(large_source(13))

    def decide(request: OriginRequest, _earlier: int) -> Rule:
        return Rule(stall_after=1000) if request.path == "/segment-9.ts" and "range" not in request.headers else GOOD

    origin.decide = decide

    class Hurried(Answered):
        async def start(self, head: ResponseHead) -> None:
            self.deadline = asyncio.get_running_loop().time() + 12.0
            await super().start(head)

    *_, failed = get(origin, into=Hurried(), settings=SETTINGS._replace(ahead_bytes=1_000_000))
    assert failed["type"] == "urn:problem-type:transcoder:deadline"
    assert s3.counts["UploadPart"] >= 1
    assert (s3.keys, s3.uploads) == ([], [])


def test_the_download_link_is_signed_and_leads_to_no_public_address(origin: Origin, s3: Storage) -> None:
    settings = SETTINGS._replace(signing_keys=(KEY,), files_url="https://d1.example")
    values = sign({"url": origin.url("/main.m3u8"), "deliver": "s3"}, key=KEY.encode(), expires=4_000_000_000)
    answer = ask(f"/events?{encode_query(values)}", settings=settings, headers={"accept": "application/x-ndjson"})
    done = json.loads(bytes(answer.body).splitlines()[-1])
    assert done["file"].startswith(s3.address)
    assert ask(done["download"], settings=settings).status == 303


def test_without_a_bucket_it_has_its_own_status(origin: Origin) -> None:
    answer = ask(f"/events?deliver=s3&url={origin.url('/main.m3u8')}", settings=SETTINGS._replace(bucket=""))
    assert answer.problem[:2] == (400, "bad-request")
