"""Tests times and sizes as people write them."""

import pytest

from transcoder.core.request.output_format import VideoMode
from transcoder.core.request.values import choices, parse_flag, parse_height, parse_size, parse_text, parse_time
from transcoder.errors import BadRequestError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90.5", 90.5), ("1:30", 90), ("01:02:03.250", 3723.25), ("0:05", 5), ("100000", 100_000), (" 7 ", 7)],
)
def test_parses_a_time(text: str, seconds: float) -> None:
    assert parse_time("start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:2:3:4", "soon", "1e3", "nan", "1:99:00", "1.", "٣", "99999999"])
def test_refuses_other_text_as_a_time(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^start: .* is not a time"):
        parse_time("start", text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8MiB", 8 * 2**20),
        ("1.5 KiB", 1536),
        ("8MB", 8_000_000),
        ("8mb", 8_000_000),
        ("1.5 GB", 1_500_000_000),
        ("2GiB", 2**31),
        ("2 gib", 2**31),
        ("5k", 5000),
        ("7b", 7),
        ("999999999999", 10**12 - 1),
        ("1.999999k", 1999),
        ("900kB", 900_000),
        ("500", 500),
        ("25M", 25_000_000),
    ],
)
def test_parses_a_size(text: str, count: int) -> None:
    assert parse_size("fit", text) == count


@pytest.mark.parametrize(
    "text", ["", "0", "0MB", "0.9", "-8MB", "8 Mi", "8i", "8ib", "1" * 13, "1.", "1.1234567", "٣", "big", "1e6", "8TB"]
)
def test_refuses_other_text_as_a_size(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^fit: .* is not a size"):
        parse_size("fit", text)


@pytest.mark.parametrize(("text", "height"), [("720", 720), ("720p", 720), ("720P", 720), (" 1080p ", 1080), ("1", 1), ("99999", 99_999)])
def test_parses_a_height(text: str, height: int) -> None:
    assert parse_height("height", text) == height


@pytest.mark.parametrize("text", ["", "p", "0", "00", "0p", "720pp", "720i", "100000", "-1", "7.5", "٣"])
def test_refuses_other_text_as_a_height(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^height: .* is not a number of pixels, such as 720"):
        parse_height("height", text)


@pytest.mark.parametrize(("text", "expected"), [(" A film ", "A film"), ("é" * 500, "é" * 500), ("a\u00a0b", "a\u00a0b")])
def test_a_text_is_one_line_of_at_most_500_characters(text: str, expected: str) -> None:
    assert parse_text("title", text) == expected


@pytest.mark.parametrize("text", ["", "  ", "a" * 501, "a\nb", "a\0", "\x7f", "\ud800"])
def test_refuses_other_text(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^title: must be a text of one line with at most 500 characters"):
        parse_text("title", text)


def test_a_flag_is_1_or_0() -> None:
    assert [parse_flag("mute", text) for text in ("1", "0")] == [True, False]
    for text in ("", "2", "01", "true"):
        with pytest.raises(BadRequestError, match=r"^mute: .* is neither 1 nor 0"):
            parse_flag("mute", text)


def test_choices_are_listed_as_usage_texts_write_them() -> None:
    assert choices(VideoMode) == "{copy,h264}"
