"""Tests that a raw query becomes a request for subtitles or is refused."""

import pytest

from transcoder.core.request.job import Job
from transcoder.core.request.query import parse_query
from transcoder.core.request.subtitle_request import SubtitleFormat, SubtitleRequest
from transcoder.errors import BadRequestError

URL = "https://a.example/v.m3u8"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"url={URL}?x=1&format=srt", SubtitleRequest(Job(f"{URL}?x=1&format=srt"))),
        (f"language=de&format=SRT&url={URL}", SubtitleRequest(Job(URL), "de", SubtitleFormat.SRT)),
        (f"exp=1&sig=2&item=2&filename=a&url={URL}", SubtitleRequest(Job(URL, item=2, filename="a"))),
        (f"page=https%3A%2F%2Fredd.it%2F1&url={URL}", SubtitleRequest(Job(URL, page="https://redd.it/1"))),
    ],
)
def test_a_query_becomes_a_request(query: str, expected: SubtitleRequest) -> None:
    assert parse_query(query).subtitle_request() == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("language=de", "url is missing"),
        (f"format=mp4&url={URL}", "format: 'mp4' is not one of vtt, srt"),
        (f"height=720&url={URL}", "'height' is not a parameter here"),
        (f"start=1&url={URL}", "'start' is not a parameter here"),
        (f"lang=de&url={URL}", "the parameters of /subtitles are url, language, format, item, filename, page"),
        (f"language=&url={URL}", "language: must be a text"),
        ("url=video.m3u8", "not an http or https address"),
    ],
)
def test_an_invalid_query_is_refused(query: str, message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        parse_query(query).subtitle_request()


@pytest.mark.parametrize(("subtitles", "content_type"), [(SubtitleFormat.VTT, "text/vtt"), (SubtitleFormat.SRT, "application/x-subrip")])
def test_subtitles_have_the_media_type_of_their_format(subtitles: SubtitleFormat, content_type: str) -> None:
    assert subtitles.content_type == f"{content_type}; charset=utf-8"
