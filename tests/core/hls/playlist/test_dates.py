"""What EXT-X-PROGRAM-DATE-TIME says, in seconds since 1970."""

import pytest
from peers.playlists import parse_media

from transcoder.core.hls.playlist.normalization import date

EXPECTED = {
    "1970-01-01T00:00:00Z": 0.0,
    "1970-01-01T00:00:01.5+00:00": 1.5,
    "1970-01-01T00:00:00+00:01": None,
    "1969-12-31T23:59:59Z": None,
    "1970-01-01T02:00:00+02:00": 0.0,
    " 2000-02-29T12:00:00.250Z ": 951_825_600.25,
    "2000-02-29T12:00:00": 951_825_600.0,
    "2000-02-29T14:00:00+0200": 951_825_600.0,
    "9999-12-31T23:59:59Z": 253_402_300_799.0,
    "9999-12-31T23:59:59-01:00": None,
    "10000-01-01T00:00:00Z": None,
    "yesterday": None,
    "": None,
}


@pytest.mark.parametrize(("text", "seconds"), EXPECTED.items())
def test_a_date_is_counted_from_1970_and_none_before_or_after_what_the_tag_can_have(text: str, seconds: float | None) -> None:
    assert date(text) == seconds


@pytest.mark.parametrize(("second", "recorded"), [(5, None), (6, 0.0), (7, 1.0)])
def test_a_source_is_recorded_when_its_first_segment_was_and_not_before_1970(second: int, recorded: float | None) -> None:
    dated = f"#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:{second:02}Z\n#EXTINF:4,\n2.ts\n"
    media = parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n1.ts\n{dated}#EXT-X-ENDLIST")
    assert media.recorded == recorded


def test_the_first_date_counts() -> None:
    dated = "".join(f"#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:{minute}:00Z\n#EXTINF:4,\n{minute}.ts\n" for minute in ("xx", "02", "05"))
    assert parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n{dated}#EXT-X-ENDLIST").recorded == 116.0
