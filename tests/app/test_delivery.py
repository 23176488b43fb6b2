"""How an output is delivered, and what is refused because a response cannot have it, or would take too long."""

import asyncio

import pytest
from peers.application import Answered
from peers.virtual_clock import run_at_once

from transcoder.app.delivery import body_limit, check_silence, check_stream, delivery_of, encoded_seconds, refuse_stored_file
from transcoder.core.hls.plan import Period, Plan, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import Clip, Deliver, FileFormat, Layout, OutputFormat
from transcoder.errors import BadRequestError, TooLargeError
from transcoder.settings import Settings

MIB = 1024 * 1024
BUCKET = Settings(bucket="files")
URL = "https://a.example/main.m3u8"


@pytest.mark.parametrize("deliver", list(Deliver))
@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("file_format", list(FileFormat))
def test_only_what_can_be_a_plain_mp4_is_stored(file_format: FileFormat, layout: Layout, deliver: Deliver) -> None:
    job = Job(URL, format=file_format, layout=layout, deliver=deliver)
    is_plain = file_format.value in {"mp4", "m4a"} and layout.value in {"auto", "plain"}
    assert delivery_of(job, BUCKET) is (deliver if is_plain else Deliver.STREAM)
    if deliver is Deliver.S3:
        with pytest.raises(BadRequestError, match="no storage"):
            delivery_of(job, Settings())
    else:
        assert delivery_of(job, Settings()) is Deliver.STREAM


def test_a_file_that_is_sent_as_it_is_is_not_stored() -> None:
    refuse_stored_file(Deliver.AUTO)
    refuse_stored_file(Deliver.STREAM)
    with pytest.raises(BadRequestError, match="sent as it is"):
        refuse_stored_file(Deliver.S3)


def test_a_body_leaves_room_for_the_head() -> None:
    assert body_limit(Settings(response_limit=200 * MIB)) == 200 * MIB - 16 * 1024


@pytest.mark.parametrize(
    ("size", "encoded", "limit", "is_refused"),
    [
        (None, 0.0, 0.0, False),
        (250_000_000, 0.0, 10.0, False),
        (250_000_001, 0.0, 10.0, True),
        (None, 10.0, 10.0, False),
        (None, 10.5, 10.0, True),
        (125_000_000, 5.5, 10.0, True),
        (10**12, 1e6, None, False),
    ],
)
def test_a_silent_response_may_take_exactly_so_long(size: int | None, encoded: float, limit: float | None, *, is_refused: bool) -> None:
    if not is_refused:
        check_silence(size, encoded, limit=limit, parameter="layout", way_out="Ask otherwise.")
        return
    with pytest.raises(TooLargeError, match=r"^layout: a plain MP4 of this source takes about 1\d s to make, .* Ask otherwise\.$"):
        check_silence(size, encoded, limit=limit, parameter="layout", way_out="Ask otherwise.")


def plan(size: int | None, *, clip: Clip | None = None) -> Plan:
    period = Period((Track(TrackKind.BOTH, (), 40.0),))
    return Plan((period,), 6.0, size, OutputFormat(clip=clip))


def test_only_a_clip_that_begins_exactly_is_encoded() -> None:
    assert encoded_seconds(plan(None)) == 0.0
    assert encoded_seconds(plan(None, clip=Clip(start=5.0, seconds=20.0, exact=False))) == 0.0
    assert encoded_seconds(plan(None, clip=Clip(start=5.0, seconds=20.0, exact=True))) == 20.0
    assert encoded_seconds(plan(None, clip=Clip(start=5.0, seconds=None, exact=True))) == 35.0


def check(size: int | None, *, seconds: float | None, clip: Clip | None = None, settings: Settings = BUCKET) -> None:
    """Check a stream whose deadline is so many seconds away."""

    async def run() -> None:
        await asyncio.sleep(1000)  # the clock of a process does not begin with its request
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        check_stream(plan(size, clip=clip), settings, Answered(deadline=deadline))

    run_at_once(run())


def test_a_stream_is_no_longer_than_a_response_can_be() -> None:
    settings = BUCKET._replace(response_limit=100 * MIB)
    limit = body_limit(settings)
    check(limit, seconds=None, settings=settings)
    check(None, seconds=None, settings=settings)
    with pytest.raises(TooLargeError, match=rf"has about {limit + 1} bytes; one response can have at most {limit}\."):
        check(limit + 1, seconds=None, settings=settings)


@pytest.mark.parametrize(
    ("size", "seconds", "is_refused"),
    [
        pytest.param(106 * MIB, 52.0, False, id="50 s, and a margin of 2 s"),
        pytest.param(106 * MIB, 51.9, True, id="50 s at 2 MiB/s after 6 MiB"),
        pytest.param(6 * MIB, 0.6, False, id="what is sent at once takes the time that it takes to copy"),
        pytest.param(6 * MIB, 0.4, True, id="and there is less"),
        pytest.param(None, 0.0, False, id="nobody knows"),
        pytest.param(106 * MIB, None, False, id="no deadline"),
    ],
)
def test_a_stream_takes_no_longer_than_the_function_may_run(size: int | None, seconds: float | None, *, is_refused: bool) -> None:
    settings = BUCKET._replace(deadline_margin_seconds=2.0)
    if not is_refused:
        check(size, seconds=seconds, settings=settings)
        return
    with pytest.raises(TooLargeError, match="longer than this function may run"):
        check(size, seconds=seconds, settings=settings)


def test_what_is_encoded_takes_its_time_too() -> None:
    exact, settings = Clip(start=5.0, seconds=30.0, exact=True), BUCKET._replace(deadline_margin_seconds=2.0)
    check(MIB, seconds=32.5, clip=exact, settings=settings)
    with pytest.raises(TooLargeError, match="takes about 30 s to make"):
        check(MIB, seconds=31.5, clip=exact, settings=settings)
