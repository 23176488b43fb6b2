"""Retries: which failures are retried, how often, and after which pause."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from peers.fetch_calls import BYTE_RANGE, CONTENT, FILES, SETTINGS, fetch_by_rule, fetch_segment
from peers.origin import Rule, garbage, origin

from transcoder.errors import UpstreamError, UpstreamTimeoutError


def test_permanent_failures_are_not_retried() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(status=404)
        with pytest.raises(UpstreamError):
            fetch_segment(o.url("/a.ts"))
        assert len(o.requests) == 1


def test_attempts_are_counted_and_limited() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(status=502)
        with pytest.raises(UpstreamError):
            fetch_segment(o.url("/a.ts"), settings=SETTINGS._replace(attempts=3))
        assert len(o.requests) == 3
        o.rules["*"] = Rule(status=502, times=2)
        o.rules["/a.ts"] = [Rule(status=502, times=1)]
        assert fetch_segment(o.url("/a.ts"))[1:] == (2, 1)


def test_an_attempt_that_made_progress_does_not_count() -> None:
    big = garbage(8_000_000)
    with origin({"/a.ts": big}) as o:
        o.rules["*"] = Rule(cut_after=1_200_000)
        data, requests, retries = fetch_segment(o.url("/a.ts"), settings=SETTINGS._replace(attempts=2))
        assert data == big
        assert (requests, retries) == (7, 6)


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        pytest.param("1", 1.0, 9.0, id="seconds"),
        pytest.param(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0.0, 9.0, id="a date in the past"),
        pytest.param("soon", 0.0, 9.0, id="invalid"),
        pytest.param("Sat, 01 Jan 99999999999 00:00:00 GMT", 0.0, 9.0, id="a date beyond all dates"),
        pytest.param("Sat, 01 Jan 2028 00:00:00 +99999999999", 0.0, 9.0, id="a time zone beyond all time zones"),
    ],
)
def test_waits_as_long_as_the_origin_asks(after: str, least: float, most: float) -> None:
    started_at = time.monotonic()
    fetch_by_rule(Rule(status=503, headers={"Retry-After": after}, times=1))
    assert least <= time.monotonic() - started_at <= most


def test_a_silent_origin_is_a_timeout() -> None:
    with pytest.raises(UpstreamTimeoutError, match=r"a\.ts at 127\.0\.0\.1: .* in time"):
        fetch_by_rule(Rule(stall_after=20_000), settings=SETTINGS._replace(attempts=2, read_seconds=0.2))


@pytest.mark.parametrize("served", ["bytes 0-299999/300000", "items 100000-299999/300000", "bytes 100001-299999/300000"])
def test_after_a_range_that_does_not_go_on_where_the_first_part_ended_all_is_asked_for(served: str) -> None:
    rules = [Rule(cut_after=100_000, times=1), Rule(content_range=served, times=1), Rule()]
    data, o = fetch_by_rule(rules)
    assert data == CONTENT
    assert ["range" in request.headers for request in o.requests] == [False, True, False]


def test_where_no_byte_has_come_the_range_that_does_not_fit_is_asked_for_again() -> None:
    data, o = fetch_by_rule([Rule(content_range="bytes 0-49999/300000", times=1), Rule()], BYTE_RANGE)
    assert data == CONTENT[1000:51_000]
    assert ["range" in request.headers for request in o.requests] == [True, True]


def test_progress_of_an_earlier_attempt_does_not_count_for_the_next_ones() -> None:
    rules = [Rule(cut_after=1_200_000, times=1), Rule(status=502, times=4), Rule()]
    with origin({"/a.ts": garbage(8_000_000)}) as o:
        o.rules["*"] = rules
        with pytest.raises(UpstreamError, match="502"):
            fetch_segment(o.url("/a.ts"), settings=SETTINGS._replace(attempts=3))
        assert len(o.requests) == 3
