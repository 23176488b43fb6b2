"""`/events`: what a source turns out to be and where its output can be had, as an event stream or as lines of JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from peers.application import Answered, ask
from peers.origin import Origin, Rule

from transcoder.core.request.signing import encode_query, sign
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01)
KEY = "a key that is long enough"


def get(
    origin: Origin, parameters: str = "layout=plain", *, settings: Settings = SETTINGS, method: str = "GET", **headers: str
) -> Answered:
    target = f"/events?{parameters}&url={origin.url('/main.m3u8')}"
    return ask(target, settings=settings, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()})


def events_of(answer: Answered) -> list[dict[str, Any]]:
    """Read an event stream as the HTML standard describes it."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    events: list[dict[str, Any]] = []
    for block in bytes(answer.body).decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            events.append(json.loads(fields["data"]) | {"id": fields["id"]})
            assert events[-1]["event"] == fields["event"]
    return events


def test_a_source_that_has_to_be_made_names_the_response_with_reports(origin: Origin) -> None:
    answer = get(origin)
    resolved, done = events_of(answer)
    headers = answer.headers
    assert (headers["cache-control"], headers["vary"], headers["x-content-type-options"]) == ("no-store", "accept", "nosniff")
    assert (resolved["event"], resolved["seconds"], resolved["file_name"]) == ("resolved", 6.0, "video.mp4")
    assert (done["event"], done["id"], done["layout"], done["accept"]) == ("done", "end", "plain", "multipart/mixed")
    assert "Accept: multipart/mixed" in done["detail"]
    assert not [request for request in origin.requests if request.path.endswith(".ts")]
    followed = ask(done["download"], settings=SETTINGS, headers={"accept": done["accept"]})
    assert (followed.status, followed.headers["content-type"].partition(";")[0]) == (200, "multipart/mixed")


@pytest.mark.parametrize(
    ("name", "parameters", "layout", "detail"),
    [
        ("ts-muxed", "layout=auto", "fragmented", "streams the output while it is made"),
        ("fmp4-separate-audio", "layout=plain", "plain", "sends a plain MP4, and any range of it"),
    ],
)
def test_other_sources_need_no_reports(name: str, parameters: str, layout: str, detail: str, media: Media, serve: Serve) -> None:
    *_, done = events_of(get(serve(media(name)), parameters))
    assert (done["layout"], done["accept"], done["detail"]) == (layout, None, f"The download link {detail}.")
    followed = ask(done["download"], settings=SETTINGS)
    assert (followed.status, followed.headers["content-type"]) == (200, "video/mp4")
    assert done["bytes"] in {None, len(followed.body)}
    assert (done["bytes"] is None) is (layout == "fragmented")


def test_a_file_is_sent_as_it_is(serve: Serve) -> None:
    url = serve({"/file.bin": bytes(1000)}).url("/file.bin")
    *_, done = events_of(ask(f"/events?url={url}", settings=SETTINGS))
    assert (done["layout"], done["bytes"], done["accept"]) == (None, 1000, None)
    assert done["detail"] == "The download link sends the file as it is."


def test_a_failure_is_the_last_event(origin: Origin) -> None:
    origin.rules["/main.m3u8"] = Rule(status=404)
    answer = get(origin)
    (failed,) = events_of(answer)
    assert (failed["event"], failed["id"], failed["status"]) == ("failed", "end", 502)
    assert failed["type"] == "urn:problem-type:transcoder:upstream-failed"
    assert answer.notes["outcome"] == "upstream-failed"


def test_a_limit_is_told_before_anything_is_made(origin: Origin) -> None:
    files = origin.files
    assert isinstance(files, dict)
    files["/media.m3u8"] = files["/main.m3u8"]
    files["/main.m3u8"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nmedia.m3u8\n"
    resolved, failed = events_of(get(origin, settings=Settings(allow_private=True, tmp_bytes=500_000)))
    assert (resolved["estimated_bytes"], failed["status"]) == (750_000, 413)


def test_an_event_source_that_has_the_end_does_not_start_again(origin: Origin) -> None:
    answer = get(origin, last_event_id="end")
    assert (answer.status, bytes(answer.body), answer.headers["cache-control"]) == (204, b"", "no-store")
    assert not origin.requests
    assert len(events_of(get(origin, last_event_id="resolved"))) == 2


def test_lines_of_json_are_an_event_each(origin: Origin) -> None:
    answer = get(origin, accept="application/x-ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["event"] for line in bytes(answer.body).splitlines()] == ["waiting", "resolved", "done"]


@pytest.mark.parametrize(("accept", "sign_of_life"), [("text/event-stream", b": waiting\n\n"), ("application/x-ndjson", b'"waiting"')])
def test_signs_of_life_come_while_nothing_is_known(accept: str, sign_of_life: bytes, origin: Origin) -> None:
    origin.rules["/main.m3u8"] = Rule(delay=4.5)
    assert bytes(get(origin, accept=accept).body).count(sign_of_life) == 2


def test_an_invalid_request_has_its_own_status(origin: Origin) -> None:
    assert get(origin, "layout=round").problem[:2] == (400, "bad-request")


def test_head_looks_for_nothing(origin: Origin) -> None:
    answer = get(origin, method="HEAD")
    assert (answer.status, answer.headers["content-type"], bytes(answer.body)) == (200, "text/event-stream", b"")
    assert not origin.requests


def test_signed_links_apply_and_are_handed_on(origin: Origin) -> None:
    settings = Settings(allow_private=True, signing_keys=(KEY,))
    assert get(origin, settings=settings).problem[:2] == (403, "bad-signature")
    values = sign({"url": origin.url("/main.m3u8"), "layout": "plain"}, key=KEY.encode(), expires=4_000_000_000)
    *_, done = events_of(ask(f"/a/events?{encode_query(values)}", settings=settings))
    assert done["download"].startswith("/a/download?")
    assert ask(done["download"], settings=settings).status == 200
