"""A raw query becomes a job, or a sentence."""

import pytest

from transcoder.core.job import Job, parse_query
from transcoder.errors import BadRequestError


@pytest.mark.parametrize(
    ("query", "job"),
    [
        pytest.param("url=https://a.example/v.m3u8", Job("https://a.example/v.m3u8"), id="literal"),
        pytest.param(
            "url=https://a.example/v.m3u8?sig=a%2Bb&height=3&x=y",
            Job("https://a.example/v.m3u8?sig=a%2Bb&height=3&x=y"),
            id="literal with its own query",
        ),
        pytest.param(
            "height=360&url=http://a.example/v?x=1", Job("http://a.example/v?x=1"), id="literal after a parameter that is not read"
        ),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv.m3u8%3Fx%3D1&height=360", Job("https://a.example/v.m3u8?x=1", 360), id="encoded"),
        pytest.param("height=360&url=https%3A%2F%2Fa.example%2Fv.m3u8", Job("https://a.example/v.m3u8", 360), id="in any order"),
        pytest.param("url=HTTPS://A.example/v.m3u8", Job("HTTPS://A.example/v.m3u8"), id="scheme in capitals"),
    ],
)
def test_reads_a_query(query: str, job: Job) -> None:
    assert parse_query(query) == job


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param("", "url is missing", id="nothing"),
        pytest.param("url=", "url is missing", id="an empty url"),
        pytest.param("height=360", "url is missing", id="no url"),
        pytest.param("url=ftp://a.example/v", "not an http or https address", id="another scheme"),
        pytest.param("url=file%3A%2F%2F%2Fetc%2Fpasswd", "not an http or https address", id="a local file"),
        pytest.param("url=video.m3u8", "not an http or https address", id="not an address"),
        pytest.param("url=https://", "not an address", id="no host"),
        pytest.param("url=https%3A%2F%2F%5Bbad", "not an address", id="a broken IPv6 host"),
        pytest.param("url=http://a.example:port/v", "not an address", id="a broken port"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fa%20b", "not an address", id="a space"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=tall", "height", id="a height in words"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=0", "height", id="no height at all"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&width=3", "'width' is not a parameter", id="an unknown parameter"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=3&height=4", "twice", id="a parameter twice"),
        pytest.param("url=https://a.example/" + "v" * 9000, "longer than", id="too long"),
    ],
)
def test_refuses_with_a_sentence(query: str, words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        parse_query(query)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/films/cat.m3u8?x=1", "cat.mp4"),
        ("https://v.redd.it/abc123/HLSPlaylist.m3u8", "abc123.mp4"),
        ("https://a.example/show%20one/master.m3u8", "show_one.mp4"),
        ("https://a.example/%22%0d%0aSet-Cookie.m3u8", "Set-Cookie.mp4"),
        ("https://a.example/..%2f..%2fetc.m3u8", "etc.mp4"),
        ("https://a.example/", "video.mp4"),
        ("https://a.example/clip", "clip.mp4"),
    ],
)
def test_names_the_file_after_the_address(url: str, name: str) -> None:
    assert Job(url).file_name == name
