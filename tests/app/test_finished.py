"""A plain MP4 that is made in the temporary folder before it is sent: what is sent, what is refused, and that nothing is left."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.application import Answered, ask
from peers.leaks import descriptors
from peers.origin import GOOD, Origin, Rule
from peers.origin import Request as OriginRequest
from peers.source_files import variant_of

from transcoder.app import application
from transcoder.core.answer.event import Request
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01)

pytestmark = pytest.mark.usefixtures("no_leaks")


def get(
    origin: Origin, parameters: str = "layout=plain", *, settings: Settings = SETTINGS, method: str = "GET", **headers: str
) -> Answered:
    target = f"/download?{parameters}&url={origin.url('/main.m3u8')}"
    return ask(target, settings=settings, method=method, headers=headers)


def test_the_whole_file_has_its_length_and_no_ranges(origin: Origin, tmp_path: Path) -> None:
    answer = get(origin, range="bytes=0-1")
    assert answer.status == 200
    assert answer.headers["x-content-length"] == str(len(answer.body))
    assert answer.headers["accept-ranges"] == "none"
    assert "etag" not in answer.headers
    assert float(answer.headers["x-content-duration"]) == pytest.approx(6.0, abs=0.03)
    assert answer.notes["layout"] == "plain"
    (tmp_path / "plain.mp4").write_bytes(answer.body)
    (tmp_path / "fragmented.mp4").write_bytes(get(origin, "layout=fragmented").body)
    assert media_reader.is_whole(tmp_path / "plain.mp4")
    assert media_reader.hashes(tmp_path / "plain.mp4") == media_reader.hashes(tmp_path / "fragmented.mp4")


def test_the_same_request_gives_the_same_bytes(origin: Origin) -> None:
    assert get(origin).body == get(origin).body


def test_what_is_encoded_can_be_plain(media: Media, serve: Serve) -> None:
    answer = get(serve(media("fmp4-dts")))
    assert (answer.status, answer.headers["x-audio-reencoded"], answer.notes["audio_reencoded"]) == (200, "dts", "dts")
    exact = get(serve(media("ts-muxed")), "layout=plain&start=1&end=2.5&exact=1")
    assert exact.status == 200
    assert float(exact.headers["x-content-duration"]) == pytest.approx(1.5, abs=0.04)


def test_m4a_keeps_its_brand(origin: Origin) -> None:
    answer = get(origin, "layout=plain&format=m4a")
    assert (answer.status, bytes(answer.body[8:12])) == (200, b"M4A ")


def test_head_makes_nothing(origin: Origin) -> None:
    answer = get(variant_of(1_000_000, origin), method="HEAD")
    assert (answer.status, answer.headers["accept-ranges"], bytes(answer.body)) == (200, "none", b"")
    assert "x-content-length" not in answer.headers
    assert answer.headers["x-content-length-estimate"]
    assert not [request for request in origin.requests if request.path.endswith(".ts")]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(Settings(allow_private=True, tmp_bytes=500_000), "layout=fragmented", id="the temporary folder"),
        pytest.param(Settings(allow_private=True, silent_seconds=0.01), "layout=fragmented", id="the time"),
        pytest.param(Settings(allow_private=True, response_limit=500_000), "one response can have at most", id="the response"),
    ],
)
def test_what_exceeds_a_limit_by_its_estimate_is_refused_before_media_is_fetched(
    settings: Settings, sentence: str, method: str, origin: Origin
) -> None:
    status, slug, detail = get(variant_of(1_000_000, origin), settings=settings, method=method).problem
    assert (status, slug) == (413, "too-large")
    assert sentence in detail
    assert not [request for request in origin.requests if request.path.endswith(".ts")]


@pytest.mark.parametrize("settings", [
    pytest.param(Settings(allow_private=True, tmp_bytes=200_000), id="the temporary folder"),
    pytest.param(Settings(allow_private=True, response_limit=200_000), id="the response"),
])  # fmt: skip
def test_what_exceeds_a_limit_without_an_estimate_is_stopped_there(settings: Settings, origin: Origin) -> None:
    status, slug, _ = get(origin, settings=settings).problem
    assert (status, slug) == (413, "too-large")


@pytest.mark.parametrize(("name", "parameters"), [("ts-muxed", "start=0&end=6&exact=1"), ("ts-hevc", "video=h264")])
def test_video_that_takes_long_to_encode_is_refused(name: str, parameters: str, media: Media, serve: Serve) -> None:
    answer = get(serve(media(name)), f"layout=plain&{parameters}", settings=Settings(allow_private=True, silent_seconds=3))
    status, slug, detail = answer.problem
    assert (status, slug) == (413, "too-large")
    assert "takes about 6 s" in detail


def test_a_copy_is_not_taken_for_encoded_video(origin: Origin) -> None:
    assert get(origin, "layout=plain&video=h264", settings=Settings(allow_private=True, silent_seconds=3)).status == 200


def test_a_folder_that_cannot_be_written_to_has_its_own_error(origin: Origin, temp: Path) -> None:
    temp.rmdir()
    temp.write_text("not a folder")
    try:
        status, slug, detail = get(origin).problem
    finally:
        temp.unlink()
        temp.mkdir()
    assert (status, slug) == (507, "no-storage")
    assert "layout=fragmented needs none" in detail


def test_media_that_is_missing_is_a_problem_and_not_a_file_without_it(origin: Origin) -> None:
    origin.rules["/segment-2.ts"] = Rule(status=404)
    assert get(origin).problem[:2] == (502, "upstream-failed")


def test_no_byte_is_sent_before_all_are_there(origin: Origin) -> None:
    answer = Answered()
    started: list[bool] = []

    def decide(request: OriginRequest, _earlier: int) -> Rule:
        if request.path.endswith(".ts"):
            started.append(answer.started)
        return GOOD

    origin.decide = decide
    ask(f"/download?layout=plain&url={origin.url('/main.m3u8')}", settings=SETTINGS, into=answer)
    assert (answer.status, set(started)) == (200, {False})


def test_a_request_that_is_cancelled_leaves_nothing(origin: Origin, temp: Path) -> None:
    origin.rules["/segment-2.ts"] = [Rule(when=lambda request: "range" in request.headers), Rule(stall_after=1000)]
    query = f"layout=plain&url={origin.url('/main.m3u8')}"

    async def run() -> list[Path]:
        async with application(SETTINGS) as serve:
            task = asyncio.ensure_future(serve(Request("GET", "/download", query, {}), Answered()))
            while not any(str(temp) in target for target in descriptors().values()):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
            named = list(temp.iterdir())  # noqa: ASYNC240 - nothing else runs
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return named

    # The temporary file has no name even while it is open, so that SIGKILL leaves nothing either.
    assert asyncio.run(run()) == []
