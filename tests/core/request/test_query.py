"""Tests that a raw query becomes a job or is refused."""

import pytest

from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job, checked_url, checked_web_address
from transcoder.core.request.output_format import FileFormat
from transcoder.core.request.query import parse_query, url_in
from transcoder.errors import BadRequestError, ContradictionError

CHANGES = {"start": "1", "end": "9", "exact": "1", "mute": "1", "height": "720", "audio": "de", "video": "h264", "audio_codec": "copy"}
"""Parameters that change a video."""


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
            "height=360&url=http://a.example/v?x=1&height=2",
            Job("http://a.example/v?x=1&height=2", 360),
            id="literal after other parameters",
        ),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv.m3u8%3Fx%3D1&height=360", Job("https://a.example/v.m3u8?x=1", 360), id="encoded"),
        pytest.param("height=360&url=https%3A%2F%2Fa.example%2Fv.m3u8", Job("https://a.example/v.m3u8", 360), id="in any order"),
        pytest.param("url=HTTPS://A.example/v.m3u8", Job("HTTPS://A.example/v.m3u8"), id="scheme in capitals"),
        pytest.param(
            "item=2&audio=de&filename=caf%C3%A9+noir&url=http://a.example/v",
            Job("http://a.example/v", audio="de", item=2, filename="café noir"),
            id="several parameters",
        ),
        pytest.param("exp=1&sig=2&url=http://a.example/v", Job("http://a.example/v"), id="signed"),
    ],
)
def test_a_query_becomes_a_job(query: str, job: Job) -> None:
    assert parse_query(query).job() == job


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param("", "url is missing", id="an empty query"),
        pytest.param("url=", "url is missing", id="an empty url"),
        pytest.param("height=360", "url is missing", id="no url"),
        pytest.param("url=ftp://a.example/v", "not an http or https address", id="another scheme"),
        pytest.param("url=file%3A%2F%2F%2Fetc%2Fpasswd", "not an http or https address", id="a local file"),
        pytest.param("url=video.m3u8", "not an http or https address", id="not an address"),
        pytest.param("url=https://", "not an address", id="no host"),
        pytest.param("url=https%3A%2F%2F%5Bbad", "not an address", id="a broken IPv6 host"),
        pytest.param("url=http://a.example:port/v", "not an address", id="a broken port"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fa%20b", "not an address", id="a space"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=tall", "height", id="height not a number"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=0", "height", id="height 0"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&width=3", "'width' is not a parameter", id="an unknown parameter"),
        pytest.param("url=https%3A%2F%2Fa.example%2Fv&height=3&height=4", "twice", id="a parameter twice"),
        pytest.param("uri=https%3A%2F%2Fa.example%2Fv", "'uri' is not a parameter; the parameters are url, height", id="url misspelt"),
        pytest.param("width=3&url=https://a.example/v", "'width' is not a parameter", id="an unknown one before a literal address"),
        pytest.param("url=http%3A%2F%2Fa.example&url=http://a.example/v", "twice", id="two addresses"),
        pytest.param("item=0&url=http://a.example/v", "item: '0'", id="item 0"),
        pytest.param("audio=&url=http://a.example/v", "audio: must be a text of one line", id="an empty language"),
        pytest.param("filename=a%0Ab&url=http://a.example/v", "filename: must be a text of one line", id="a name of two lines"),
        pytest.param("&".join(f"a{n}=1" for n in range(60)), "more than 50 parameters", id="too many"),
        pytest.param("url=https://a.example/" + "v" * 9000, "longer than", id="too long"),
    ],
)
def test_an_invalid_query_is_refused_with_a_reason(query: str, message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        parse_query(query).job()


@pytest.mark.parametrize(
    ("query", "parameters", "message"),
    [
        ("start=5&end=5", ("start", "end"), "start: 5 s is not before the end at 5 s"),
        ("deliver=s3&format=mp3", ("deliver", "format"), "deliver: s3 is about plain MP4s"),
        ("deliver=s3&layout=fragmented", ("deliver", "layout"), "deliver: s3 is about plain MP4s"),
        ("deliver=s3&format=file", ("deliver", "format"), "deliver: s3 is about plain MP4s"),
        ("layout=plain&format=mp3", ("layout", "format"), "layout: plain is about MP4s"),
        ("fit=8MB&video=h264", ("fit", "video"), "fit: the size of re-encoded video"),
        ("fit=8MB&exact=1&start=1", ("fit", "exact"), "fit: the size of re-encoded video"),
        ("format=m4a&mute=1", ("format", "mute"), "format: m4a has no video"),
        ("format=mp3&video=h264", ("format", "video"), "format: mp3 has no video"),
        ("format=mp3&audio_codec=copy", ("audio_codec", "format"), "audio_codec: copy is about MP4"),
        *((f"format=file&{name}={value}", ("format", name), "format: file sends a file as it is") for name, value in CHANGES.items()),
    ],
)
def test_parameters_that_contradict_each_other_are_named(query: str, parameters: tuple[str, ...], message: str) -> None:
    with pytest.raises(ContradictionError, match=message) as caught:
        parse_query(f"{query}&url=https://a.example/v.m3u8").job()
    assert caught.value.names == parameters


@pytest.mark.parametrize(
    "query", ["start=4.9&end=5", "fit=8MB&exact=1", "deliver=s3&layout=plain", "format=m4a&audio_codec=auto", "format=file&layout=plain"]
)
def test_parameters_that_do_not_contradict_each_other(query: str) -> None:
    parse_query(f"{query}&url=https://a.example/v.m3u8").job()


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("url=https://a.example/v?x=1&y=2", "https://a.example/v?x=1&y=2"),
        ("start=soon&start=2&url=http://a.example/v", "http://a.example/v"),
        ("start=soon&url=https%3A%2F%2Fa.example%2Fv&x=1", "https://a.example/v"),
        ("url=a.example/v", "a.example/v"),
        ("uri=https://a.example/v", ""),
        ("", ""),
    ],
)
def test_the_address_is_found_however_wrong_the_rest_is(query: str, url: str) -> None:
    assert url_in(query) == url


def test_a_parameter_that_is_there_twice_is_named() -> None:
    with pytest.raises(BadRequestError, match=r"^end: the query has this parameter twice"):
        parse_query("start=1&end=5&end=6&url=https://a.example/v.m3u8")


@pytest.mark.parametrize("url", ["https://me@a.example/", "https://me:secret@a.example/", "http://@a.example/"])
def test_an_address_with_a_password_is_only_for_whoever_may_have_one(url: str) -> None:
    with pytest.raises(BadRequestError, match=r"^url: an address with a user name or a password is not fetched\.$"):
        checked_url(url)
    assert checked_url(url, credentials=True) == checked_web_address("page", url, credentials=True) == url
    with pytest.raises(BadRequestError, match=r"^page: an address with a user name"):
        checked_web_address("page", url)


BAD = [
    "ftp://a.example/v",
    "//a.example/v",
    "a.example",
    "http:///v",
    "https://a.example/\x00",
    "http://a.example/ ",
    "http://a.example/\x7f",
]
BAD += [
    "http://a.example\\b/v",
    "http://a.example/\ud800",
    "http://a.example:70000/",
    "http://[1/",
    "s3://b/v",
    "s3://UPPER/v",
    "s3://bucket/",
]


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("name", ["url", "page"])
def test_what_is_no_address_is_refused_by_the_name_of_its_parameter(name: str, url: str) -> None:
    with pytest.raises(BadRequestError, match=rf"^{name}: .* is not an (http or https )?address\.$"):
        checked_web_address(name, url)
    with pytest.raises(BadRequestError, match=r"^url: "):
        checked_url(url)


@pytest.mark.parametrize(
    "url", ["s3://abc/v", "s3://a.b-c9/a b/ü.m3u8?x#y", "s3://" + "a" * 63 + "/v", "HTTP://a.example/v\\w", "https://a.example:65535"]
)
def test_an_address_or_an_object_stays_as_it_is(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize("url", ["s3://ab/v", "s3://" + "a" * 64 + "/v", "s3://-abc/v", "s3://abc-/v", "s3://abc/a\nb", "s3:///v"])
def test_what_is_no_name_of_a_bucket_or_an_object_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError):
        checked_url(url)


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        (Job(""), TrackKind.BOTH),
        (Job("", mute=True), TrackKind.VIDEO),
        (Job("", format=FileFormat.M4A), TrackKind.AUDIO),
        (Job("", format=FileFormat.MP3), TrackKind.AUDIO),
        (Job("", format=FileFormat.FILE), TrackKind.BOTH),
    ],
)
def test_a_job_has_the_media_of_its_format(job: Job, kind: TrackKind) -> None:
    assert job.kind is kind


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0.0, None, False), (0.001, None, True), (0.0, 0.0, True), (0.0, 9.0, True), (2.0, 3.0, True)]
)
def test_a_job_with_a_start_or_an_end_is_a_clip(start: float, end: float | None, *, expected: bool) -> None:
    assert Job("", start=start, end=end).is_clip is expected
