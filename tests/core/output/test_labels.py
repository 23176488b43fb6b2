"""When an output was recorded, as MP4 counts it: in seconds since 1904 (ISO/IEC 14496-12, 8.2.2)."""

from datetime import UTC, datetime

import pytest

from transcoder.core.output.labels import NO_LABELS, Labels


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("1904-01-01T00:00:00+00:00", datetime(1904, 1, 1, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-11-27T12:00:00.400+02:00", datetime(2026, 11, 27, 10, tzinfo=UTC)),
    ],
)
def test_the_time_of_recording_is_counted_from_1904(text: str, recorded: datetime) -> None:
    created = Labels({"title": "A film", "creation_time": text}).created
    assert created == (recorded - datetime(1904, 1, 1, tzinfo=UTC)).total_seconds()


def test_without_a_time_there_is_none() -> None:
    assert NO_LABELS.created is None
    assert Labels({"creation_time": ""}).created is None
    assert NO_LABELS.language is None
