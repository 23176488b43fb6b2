"""A plain MP4 whose making is reported in the same response, `multipart/mixed`: the reports, the MP4, and what takes its place."""

import asyncio
import email
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from peers import media_reader
from peers.application import Answered, ask
from peers.origin import GOOD, Origin, Request, Rule

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES, ResponseHead
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01)

pytestmark = pytest.mark.usefixtures("no_leaks")


def get(
    origin: Origin,
    parameters: str = "layout=plain",
    *,
    settings: Settings = SETTINGS,
    method: str = "GET",
    accept: str = "multipart/mixed",
    into: Answered | None = None,
) -> Answered:
    target = f"/download?{parameters}&url={origin.url('/main.m3u8')}"
    return ask(target, settings=settings, method=method, headers={"accept": accept}, into=into)


def message_of(answer: Answered) -> Any:
    """Parse a response as a mail program would."""
    return email.message_from_bytes(f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + bytes(answer.body))


def parts_of(answer: Answered) -> list[Any]:
    message = message_of(answer)
    assert not message.defects
    payload: Any = message.get_payload()
    assert isinstance(payload, list)
    for part in payload:
        assert not part.defects
        assert part["content-length"] == str(len(body_of(part)))
    return payload


def body_of(part: Any) -> bytes:
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body


def documents_of(parts: list[Any]) -> list[dict[str, Any]]:
    assert {part.get_content_type() for part in parts} == {"application/json"}
    return [json.loads(body_of(part)) for part in parts]


def slow(origin: Origin, seconds: float) -> None:
    """Let each media segment of an origin wait."""
    origin.decide = lambda request, _earlier: Rule(delay=seconds) if request.path.endswith(".ts") else GOOD


def test_the_last_part_is_the_same_file_as_without_reports(origin: Origin, tmp_path: Path) -> None:
    answer = get(origin)
    assert (answer.status, answer.headers["cache-control"], answer.headers["vary"]) == (200, "no-store", "accept")
    assert answer.headers["x-content-type-options"] == "nosniff"
    *reports, file = parts_of(answer)
    (resolved, *_) = documents_of(reports)
    silent = get(origin, accept="*/*")
    assert silent.headers["vary"] == "accept"
    assert body_of(file) == silent.body
    for name in ("content-type", "content-disposition", "x-content-duration"):
        assert file[name] == silent.headers[name]
    assert resolved == {
        "event": "resolved",
        "title": None,
        "file_name": "video.mp4",
        "seconds": 6.0,
        "estimated_bytes": None,
        "thumbnail": None,
    }
    (tmp_path / "video.mp4").write_bytes(body_of(file))
    assert media_reader.is_whole(tmp_path / "video.mp4")
    assert not media_reader.is_fragmented(tmp_path / "video.mp4")


def test_progress_rises_with_what_the_origin_has_sent(origin: Origin) -> None:
    slow(origin, 1.2)
    *reports, _ = parts_of(get(origin, settings=Settings(allow_private=True, connections=1, ahead_bytes=1)))
    _, *progress = documents_of(reports)
    assert len(progress) >= 2
    assert {report["event"] for report in progress} == {"progress"}
    for member in ("bytes", "seconds"):
        values = [report[member] for report in progress]
        assert values == sorted(values)
    assert progress[-1]["bytes"] > progress[0]["bytes"] > 0
    assert progress[-1]["bytes"] <= origin.sent
    assert progress[-1]["total_seconds"] == pytest.approx(6.0, abs=0.03)


@pytest.mark.long
def test_reports_come_within_five_seconds_although_nothing_changes(origin: Origin) -> None:
    times: list[float] = []

    class Timed(Answered):
        async def write(self, chunk: bytes) -> None:
            times.append(asyncio.get_running_loop().time())
            await super().write(chunk)

    # A range of it is probed before, and would wait as long.
    origin.rules["/segment-0.ts"] = Rule(delay=11.0, when=lambda request: "range" not in request.headers)
    answer = get(origin, into=Timed())
    *reports, _ = parts_of(answer)
    assert len(reports) >= 3
    gaps = [after - before for before, after in pairwise(times[: len(reports)])]
    assert max(gaps) <= 5.0
    assert min(gaps) >= 1.0


def test_a_failure_after_reports_is_the_last_part(origin: Origin) -> None:
    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == "/segment-2.ts" and "range" not in request.headers:  # a range of it is probed before anything is made
            return Rule(status=404)
        return Rule(delay=1.2) if request.path.endswith(".ts") else GOOD

    origin.decide = decide
    answer = get(origin, settings=Settings(allow_private=True, connections=1, ahead_bytes=1, retry_seconds=0.01))
    *reports, failed = parts_of(answer)
    assert answer.status == 200
    assert answer.notes["outcome"] == "upstream-failed"
    assert len(documents_of(reports)) >= 2
    assert failed.get_content_type() == "application/problem+json"
    document = json.loads(body_of(failed))
    assert (document["event"], document["status"], document["type"]) == ("failed", 502, "urn:problem-type:transcoder:upstream-failed")


@pytest.mark.parametrize(("name", "limit"), [("tmp_bytes", 200_000), ("response_limit", 200_000)])
def test_a_limit_that_only_making_shows_is_the_last_part(name: str, limit: int, origin: Origin) -> None:
    settings = Settings(allow_private=True, **{name: limit})  # type: ignore[arg-type]  # both are numbers of bytes
    *_, failed = parts_of(get(origin, settings=settings))
    assert json.loads(body_of(failed))["status"] == 413


@pytest.mark.parametrize(("room", "kept"), [(1000, False), (16_000, True)])
def test_the_limit_of_a_response_counts_its_reports_too(room: int, *, kept: bool, origin: Origin) -> None:
    length = int(get(origin, accept="*/*").headers["x-content-length"])
    *_, last = parts_of(get(origin, settings=Settings(allow_private=True, response_limit=length + MAX_PRELUDE_BYTES + room)))
    assert last.get_content_type() == ("video/mp4" if kept else "application/problem+json")


def test_what_fails_before_anything_is_made_has_its_own_status(origin: Origin) -> None:
    origin.rules["/main.m3u8"] = Rule(status=404)
    assert get(origin).problem[:2] == (502, "upstream-failed")


def test_a_folder_that_cannot_be_written_to_has_its_own_status(origin: Origin, temp: Path) -> None:
    temp.rmdir()
    temp.write_text("not a folder")
    try:
        assert get(origin).problem[:2] == (507, "no-storage")
    finally:
        temp.unlink()
        temp.mkdir()


def test_making_may_take_long_since_it_is_not_silent(origin: Origin) -> None:
    settings = Settings(allow_private=True, silent_seconds=0.01)
    parameters = "layout=plain&start=1&end=2.5&exact=1"
    status, _, detail = get(origin, parameters, settings=settings, accept="").problem
    assert (status, "Accept: multipart/mixed" in detail) == (413, True)
    assert parts_of(get(origin, parameters, settings=settings))[-1].get_content_type() == "video/mp4"


def test_time_that_is_up_is_the_last_part(origin: Origin) -> None:
    origin.rules["/segment-1.ts"] = Rule(stall_after=1000)

    class Hurried(Answered):
        async def start(self, head: ResponseHead) -> None:
            self.deadline = asyncio.get_running_loop().time() + 3.0
            await super().start(head)

    answer = get(origin, into=Hurried())
    *_, failed = parts_of(answer)
    assert json.loads(body_of(failed))["type"] == "urn:problem-type:transcoder:deadline"


def test_a_response_that_is_cut_has_a_defect(origin: Origin) -> None:
    answer = get(origin)
    for cut in (len(b"--\r\n") + 1, 1000, len(answer.body) - 100):
        short = Answered(head=answer.head, body=answer.body[:-cut])
        assert message_of(short).defects


def test_head_makes_nothing(origin: Origin) -> None:
    answer = get(origin, method="HEAD")
    assert (answer.status, bytes(answer.body)) == (200, b"")
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert not [request for request in origin.requests if request.path.endswith(".ts")]


def test_the_header_changes_no_layout(origin: Origin, media: Media, serve: Serve) -> None:
    assert get(origin, "layout=auto").headers["content-type"] == "video/mp4"
    mapped = get(serve(media("fmp4-separate-audio")))
    assert (mapped.headers["content-type"], mapped.headers["accept-ranges"]) == ("video/mp4", "bytes")
