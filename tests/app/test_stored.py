"""`deliver=s3` and `auto`: the finished file in the bucket, what it is made of, who makes it, and that a failure leaves nothing of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from conftest import LargeSource, Serve
from peers import media_reader
from peers.application import Answered, ask, ask_all
from peers.origin import GOOD, Origin, Rule
from peers.origin import Request as OriginRequest
from peers.source_files import files_in, variant_of
from peers.storage import BUCKET, Fault, Storage, refuse

from transcoder.app import application
from transcoder.core.answer.event import Request
from transcoder.core.request.signing import encode_query, sign
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, bucket=BUCKET)
KEY = "a key that is long enough"


@pytest.fixture
def long_origin(large_source: LargeSource, serve: Serve) -> Origin:
    """A source whose file is uploaded in three parts: the first one, one that is neither first nor last, and the last one."""
    return serve(large_source(7))


def get(origin: Origin, parameters: str = "deliver=s3", *, settings: Settings = SETTINGS, method: str = "GET", **headers: str) -> Answered:
    return ask(f"/download?{parameters}&url={origin.url('/main.m3u8')}", settings=settings, method=method, headers=headers)


def stored(answer: Answered) -> httpx.Response:
    assert answer.status == 303
    return httpx.get(answer.headers["location"], timeout=20)


def media_requests(origin: Origin) -> list[str]:
    return [request.path for request in origin.requests if not request.path.endswith(".m3u8")]


@pytest.mark.usefixtures("no_leaks")
def test_a_response_redirects_to_a_plain_mp4(origin: Origin, s3: Storage, tmp_path: Path) -> None:
    answer = get(origin, "deliver=s3&filename=Übung 1")
    assert (answer.headers["cache-control"], bytes(answer.body), answer.notes["stored"]) == ("no-store", b"", "made")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("text/plain", "nosniff")
    response = stored(answer)
    assert answer.headers["x-content-length"] == str(len(response.content))
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-disposition"] == "attachment; filename=\"Ubung 1.mp4\"; filename*=UTF-8''%C3%9Cbung%201.mp4"
    assert response.headers["cache-control"] == "public, max-age=86400"
    (key,) = s3.keys
    assert (key[:6], len(key.split("/")[1]), key.split("/")[2]) == ("files/", 64, "Übung 1.mp4")
    (tmp_path / "plain.mp4").write_bytes(response.content)
    (tmp_path / "fragmented.mp4").write_bytes(get(origin, "layout=fragmented").body)
    assert media_reader.is_whole(tmp_path / "plain.mp4")
    assert not media_reader.is_fragmented(tmp_path / "plain.mp4")
    assert media_reader.hashes(tmp_path / "plain.mp4") == media_reader.hashes(tmp_path / "fragmented.mp4")
    assert s3.operations == ["HeadObject", "PutObject", "GetObject"]


@pytest.mark.usefixtures("no_leaks")
def test_the_first_part_is_sent_last(long_origin: Origin, s3: Storage, tmp_path: Path) -> None:
    answer = get(long_origin)
    body = stored(answer).content
    assert s3.counts == {"HeadObject": 1, "CreateMultipartUpload": 1, "UploadPart": 3, "CompleteMultipartUpload": 1, "GetObject": 1}
    assert (s3.uploads, len(s3.keys)) == ([], 1)
    (tmp_path / "plain.mp4").write_bytes(body)
    (tmp_path / "fragmented.mp4").write_bytes(get(long_origin, "layout=fragmented").body)
    assert [kind for kind, *_ in media_reader.top_level_boxes(body)] == [b"ftyp", b"moov", b"mdat"]
    assert media_reader.hashes(tmp_path / "plain.mp4") == media_reader.hashes(tmp_path / "fragmented.mp4")
    assert media_reader.presentation_times(tmp_path / "plain.mp4") == media_reader.presentation_times(tmp_path / "fragmented.mp4")
    part = httpx.get(answer.headers["location"], headers={"range": "bytes=5000000-5999999"}, timeout=20)
    assert (part.status_code, part.content == body[5_000_000:6_000_000]) == (206, True)


@pytest.mark.parametrize(("name", "reencoded"), [("fmp4-separate-audio", None), ("fmp4-dts", "dts"), ("ts-muxed", None)])
def test_every_kind_of_source_can_be_stored(
    name: str, reencoded: str | None, media: Media, serve: Serve, s3: Storage, tmp_path: Path
) -> None:
    origin = serve(media(name))
    answer = get(origin)
    assert answer.notes.get("audio_reencoded") == reencoded
    (tmp_path / "plain.mp4").write_bytes(stored(answer).content)
    (tmp_path / "fragmented.mp4").write_bytes(get(origin, "layout=fragmented").body)
    assert media_reader.is_whole(tmp_path / "plain.mp4")
    assert media_reader.hashes(tmp_path / "plain.mp4") == media_reader.hashes(tmp_path / "fragmented.mp4")
    assert len(s3.keys) == 1


def test_the_second_request_reads_playlists_only(origin: Origin, s3: Storage) -> None:
    first = stored(get(origin)).content
    origin.requests.clear()
    s3.operations.clear()
    again = get(origin)
    assert ([request.path for request in origin.requests], s3.operations) == (["/main.m3u8"], ["HeadObject"])
    assert (again.notes["stored"], stored(again).content == first) == ("found", True)


def test_what_changes_the_file_is_another_object(origin: Origin, s3: Storage) -> None:
    different = ("", "&mute=1", "&format=m4a", "&end=3", "&filename=a", "&filename=b")
    targets = [f"/download?deliver=s3{parameters}&url={origin.url('/main.m3u8')}" for parameters in (*different, "&layout=plain")]
    *made, found = ask_all(targets, settings=SETTINGS)
    assert {answer.notes["stored"] for answer in made} == {"made"}
    assert found.notes["stored"] == "found"
    files = origin.files
    assert isinstance(files, dict)
    files["/main.m3u8"] = files["/main.m3u8"].replace(b"segment-0.ts", b"segment-0.ts?v=2")
    assert get(origin).notes["stored"] == "made"
    assert len(s3.keys) == 7


def test_a_file_that_has_changed_is_another_source(media: Media, serve: Serve, s3: Storage) -> None:
    segment = files_in(media("ts-muxed"))["/segment-0.ts"]
    origin = serve({"/video.ts": segment})
    target = f"/download?deliver=s3&url={origin.url('/video.ts')}"
    assert [answer.notes["stored"] for answer in ask_all([target, target], settings=SETTINGS)] == ["made", "found"]
    origin.files = {"/video.ts": segment[:-188] + segment[-188:].replace(b"\xff", b"\xfe")}
    assert ask(target, settings=SETTINGS).notes["stored"] == "made"
    assert len(s3.keys) == 2


def test_two_at_once_make_one_object(long_origin: Origin, s3: Storage) -> None:
    query = f"deliver=s3&url={long_origin.url('/main.m3u8')}"

    async def both() -> list[Answered]:
        answers = [Answered(), Answered()]
        async with application(SETTINGS) as serve:
            await asyncio.gather(*(serve(Request("GET", "/download", query, {}), answer) for answer in answers))
        return answers

    answers = asyncio.run(both())
    assert sorted(str(answer.notes["stored"]) for answer in answers) == ["made", "made by another"]
    assert len({urlsplit(answer.headers["location"]).path for answer in answers}) == 1
    assert (len(s3.keys), s3.uploads) == (1, [])
    assert s3.counts["CompleteMultipartUpload"] == 2


@pytest.mark.usefixtures("no_leaks")
def test_a_source_that_fails_leaves_nothing(long_origin: Origin, s3: Storage) -> None:
    def decide(request: OriginRequest, _earlier: int) -> Rule:
        return Rule(status=404) if request.path == "/segment-6.ts" and "range" not in request.headers else GOOD

    long_origin.decide = decide
    answer = get(long_origin, settings=SETTINGS._replace(ahead_bytes=1_000_000))
    assert answer.problem[:2] == (502, "upstream-failed")
    assert s3.counts["UploadPart"] >= 1
    assert (s3.keys, s3.uploads) == ([], [])
    assert "parts_left" not in answer.notes


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("operation", ["HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (500, "InternalError")])
def test_a_bucket_that_refuses_leaves_nothing(operation: str, status: int, code: str, long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda asked, _earlier: Fault(status, code) if asked == operation else None
    answer = get(long_origin)
    assert answer.problem[:2] == (507, "no-storage")
    assert BUCKET not in answer.problem[2].replace("service for", "")
    assert answer.notes["bucket_problem"] == (str(status) if operation == "HeadObject" else code)
    assert s3.counts[operation] >= (4 if status == 500 else 1)
    assert (s3.keys, s3.uploads) == ([], [])


def test_a_small_file_that_is_refused_is_a_failure(origin: Origin, s3: Storage) -> None:
    s3.decide = refuse("PutObject")
    assert get(origin).problem[:2] == (507, "no-storage")
    assert s3.keys == []


def test_a_bucket_that_does_not_exist_is_a_failure(origin: Origin, s3: Storage) -> None:
    answer = get(origin, settings=SETTINGS._replace(bucket="nobody"))
    assert (answer.problem[:2], answer.notes["bucket_problem"]) == ((507, "no-storage"), "NoSuchBucket")
    assert "nobody" not in answer.problem[2]
    assert s3.keys == []


def test_storage_that_cannot_be_reached_is_a_failure(origin: Origin, s3: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    answer = get(origin)
    assert (answer.problem[:2], answer.notes["bucket_problem"]) == ((507, "no-storage"), "EndpointConnectionError")
    assert (media_requests(origin), s3.operations) == ([], [])


def test_passing_failures_of_storage_are_retried(long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda _asked, earlier: Fault(503, "SlowDown") if earlier == 0 else None
    assert get(long_origin).notes["stored"] == "made"
    assert s3.counts["UploadPart"] == 4
    assert (len(s3.keys), s3.uploads) == (1, [])


def test_slow_storage_is_waited_for_and_gets_two_parts_at_once(long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda asked, _earlier: Fault(delay=1.5) if asked == "UploadPart" else None
    assert get(long_origin, settings=SETTINGS._replace(ffmpeg_seconds=1.0)).notes["stored"] == "made"
    assert s3.most_active["UploadPart"] == 2


@pytest.mark.parametrize("source", ["origin", "long_origin"])
def test_a_success_whose_answer_is_lost_is_one(source: str, s3: Storage, request: pytest.FixtureRequest) -> None:
    lost = Fault(500, is_done=True)
    s3.decide = lambda asked, earlier: lost if asked in {"PutObject", "CompleteMultipartUpload"} and earlier == 0 else None
    answer = get(request.getfixturevalue(source))
    assert stored(answer).status_code == 200
    assert (len(s3.keys), s3.uploads) == (1, [])


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("operation", ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_a_success_that_says_nothing_is_none(operation: str, origin: Origin, long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda asked, _earlier: Fault(200, is_empty=True) if asked == operation else None
    answer = get(origin if operation == "PutObject" else long_origin)
    assert answer.problem[:2] == (507, "no-storage")
    assert answer.notes["bucket_problem"] == ("NoUploadId" if operation == "CreateMultipartUpload" else "NoETag")
    assert (s3.keys, s3.uploads) == ([], [])


@pytest.mark.usefixtures("no_leaks")
def test_parts_whose_requests_are_still_running_are_aborted(long_origin: Origin, s3: Storage) -> None:
    slow = Fault(403, "AccessDenied"), Fault(503, "SlowDown", delay=1.0)
    s3.decide = lambda asked, earlier: slow[min(earlier, 1)] if asked == "UploadPart" else None
    long_origin.decide = lambda request, _earlier: Rule(delay=0.5) if request.path == "/segment-6.ts" else GOOD
    assert get(long_origin).problem[:2] == (507, "no-storage")
    assert s3.uploads == []


@pytest.mark.long
@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_what_storage_answers_too_late_is_aborted(operation: str, long_origin: Origin, s3: Storage) -> None:
    # Unlike S3, moto answers a part of an aborted upload with an error that is tried again: those tries need not be late, too.
    s3.decide = lambda asked, earlier: Fault(delay=5.0) if asked == operation and earlier < 2 else None
    query = f"deliver=s3&url={long_origin.url('/main.m3u8')}"

    async def run() -> None:
        async with application(SETTINGS) as serve:
            task = asyncio.ensure_future(serve(Request("GET", "/download", query, {}), Answered()))
            while not s3.active[operation]:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert s3.active[operation]
            while s3.active[operation] or s3.uploads:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(run(), 60.0))
    assert (s3.keys, s3.uploads) == ([], [])


@pytest.mark.long
def test_storage_that_does_not_answer_holds_up_nothing_else(long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda asked, _earlier: Fault(403, "AccessDenied", delay=4.0) if asked == "UploadPart" else None
    query = f"url={long_origin.url('/main.m3u8').replace('127.0.0.1', 'localhost')}"

    async def run() -> tuple[int, float]:
        async with application(SETTINGS) as serve:
            for _ in range(5):
                task = asyncio.ensure_future(serve(Request("GET", "/download", f"deliver=s3&{query}", {}), Answered()))
                with suppress(TimeoutError):
                    await asyncio.wait_for(task, 2.0)
            began, answer = asyncio.get_running_loop().time(), Answered()
            await serve(Request("GET", "/info", query, {}), answer)
            return answer.status, asyncio.get_running_loop().time() - began

    status, seconds = asyncio.run(run())
    assert status == 200
    assert seconds < 1.5
    assert (s3.keys, s3.uploads) == ([], [])


def test_the_length_is_that_of_the_object_which_stays(origin: Origin, s3: Storage) -> None:
    key = ""

    def decide(asked: str, _earlier: int) -> None:
        if asked == "PutObject" and key:
            s3.client.put_object(Bucket=BUCKET, Key=key, Body=b"another")

    get(origin)
    (key,) = s3.keys
    s3.clear()
    s3.decide = decide
    answer = get(origin)
    assert (answer.notes["stored"], answer.headers["x-content-length"]) == ("made by another", "7")


def test_parts_that_cannot_be_removed_are_noted(long_origin: Origin, s3: Storage) -> None:
    s3.decide = lambda asked, _earlier: Fault(403, "AccessDenied") if asked in {"CompleteMultipartUpload", "AbortMultipartUpload"} else None
    answer = get(long_origin)
    assert (answer.problem[:2], answer.notes["parts_left"]) == ((507, "no-storage"), "AccessDenied")
    assert (s3.keys, len(s3.uploads)) == ([], 1)


@pytest.mark.usefixtures("no_leaks")
def test_a_request_that_is_cancelled_leaves_nothing(long_origin: Origin, s3: Storage) -> None:
    long_origin.rules["/segment-6.ts"] = [Rule(when=lambda request: "range" in request.headers), Rule(stall_after=1000)]
    query = f"deliver=s3&url={long_origin.url('/main.m3u8')}"

    async def run() -> None:
        async with application(SETTINGS) as serve:
            task = asyncio.ensure_future(serve(Request("GET", "/download", query, {}), Answered()))
            while not s3.counts["UploadPart"]:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert (s3.keys, s3.uploads) == ([], [])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_takes_long_is_not_made_in_silence(method: str, origin: Origin, s3: Storage) -> None:
    status, slug, detail = get(variant_of(1_000_000, origin), settings=SETTINGS._replace(silent_seconds=0.01), method=method).problem
    assert (status, slug, "GET /events" in detail) == (413, "too-large", True)
    assert (media_requests(origin), s3.keys) == ([], [])


def test_head_makes_nothing_and_finds_what_is_there(origin: Origin, s3: Storage) -> None:
    answer = get(variant_of(1_000_000, origin), method="HEAD")
    assert (answer.status, "location" in answer.headers, answer.headers["x-content-length-estimate"]) == (303, False, "750000")
    assert media_requests(origin) == []
    get(origin)
    answer = get(origin, method="HEAD")
    assert (answer.status, "location" in answer.headers) == (303, True)
    assert len(s3.keys) == 1


@pytest.mark.parametrize(("base", "prefix"), [("https://d1.example", "https://d1.example/files/"), ("https://a/b/", "https://a/b/files/"), ("/", "/files/")])  # fmt: skip  # noqa: E501
def test_a_public_address_of_the_files_is_used(base: str, prefix: str, origin: Origin, s3: Storage) -> None:
    location = get(origin, "deliver=s3&filename=Ü&mute=1", settings=SETTINGS._replace(files_url=base)).headers["location"]
    assert location.startswith(prefix)
    assert location.endswith("/%C3%9C.mp4")
    assert [unquote(location[len(prefix) - len("files/") :])] == s3.keys


def test_signed_links_lead_to_no_public_address(origin: Origin, s3: Storage) -> None:
    settings = SETTINGS._replace(files_url="https://d1.example", signing_keys=(KEY,))
    assert get(origin, settings=settings).problem[:2] == (403, "bad-signature")
    values = sign({"url": origin.url("/main.m3u8"), "deliver": "s3"}, key=KEY.encode(), expires=4_000_000_000)
    answer = ask(f"/download?{encode_query(values)}", settings=settings)
    assert answer.headers["location"].startswith(s3.address)
    assert "X-Amz-Signature=" in answer.headers["location"]
    assert stored(answer).headers["cache-control"] == "private, max-age=86400"


def test_without_a_bucket_it_is_refused(origin: Origin) -> None:
    status, slug, detail = get(origin, settings=SETTINGS._replace(bucket="")).problem
    assert (status, slug, "no storage" in detail) == (400, "bad-request", True)
    assert not origin.requests


@pytest.mark.parametrize("parameters", ["format=mp3", "format=file", "layout=fragmented", "deliver=post"])
def test_what_contradicts_it_is_refused(parameters: str, origin: Origin) -> None:
    parameters = parameters if "deliver" in parameters else f"deliver=s3&{parameters}"
    assert get(origin, parameters).problem[:2] == (400, "bad-request")
    assert not origin.requests


def test_a_file_that_is_passed_through_is_not_stored(serve: Serve, s3: Storage) -> None:
    url = serve({"/file.bin": bytes(1000)}).url("/file.bin")
    assert ask(f"/download?deliver=s3&url={url}", settings=SETTINGS).problem[:2] == (400, "bad-request")
    assert ask(f"/download?url={url}", settings=SETTINGS).status == 200
    assert s3.operations == []


def test_auto_streams_what_a_response_can_have(origin: Origin, s3: Storage) -> None:
    variant_of(1_000_000, origin)
    for parameters in ("deliver=auto", "deliver=auto&layout=plain", "deliver=auto&format=mp3", "deliver=stream"):
        assert get(origin, parameters).status == 200
    assert s3.operations == []


@pytest.mark.parametrize("layout", ["auto", "plain"])
def test_auto_names_the_way_of_what_is_too_large_and_redirects_to_what_is_stored(layout: str, origin: Origin, s3: Storage) -> None:
    small = SETTINGS._replace(response_limit=500_000)
    status, slug, detail = get(variant_of(1_000_000, origin), f"layout={layout}", settings=small).problem
    assert (status, slug, "GET /events" in detail) == (413, "too-large", True)
    assert (media_requests(origin), s3.keys) == ([], [])
    get(origin)
    assert stored(get(origin, f"layout={layout}", settings=small)).status_code == 200
    assert get(origin, f"layout={layout}&deliver=stream").status == 200


def test_auto_never_replaces_a_map(media: Media, serve: Serve, s3: Storage) -> None:
    origin = serve(media("fmp4-separate-audio"))
    small = SETTINGS._replace(response_limit=60_000)
    get(origin)
    status, _, detail = get(origin, "layout=plain", settings=small).problem
    assert (status, "ranges" in detail, "GET /events" in detail) == (413, True, True)
    assert get(origin, "layout=plain", settings=small, range="bytes=0-99").status == 206
    assert s3.counts["HeadObject"] == 1
