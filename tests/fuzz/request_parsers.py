"""Parsers of what a caller sends: the event, the query, signed links; and of file names, which end up in Content-Disposition."""

import json
from http import HTTPStatus

from fuzz.parser import Parser, numbered, repeated
from fuzz.playlist_parsers import text_of

from transcoder.core.answer.cors import Cors, cors_headers
from transcoder.core.answer.event import parse_event
from transcoder.core.answer.file_names import content_disposition, file_name, title_from_url
from transcoder.core.answer.function_url import ResponseHead, encode_prelude
from transcoder.core.answer.passthrough import range_headers
from transcoder.core.answer.prelude import PreludeReader
from transcoder.core.answer.problem import problem_sentence
from transcoder.core.request.allowlist import check_host
from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import check_signature
from transcoder.core.source.reddit import parse_link

_KEYS = (b"0123456789abcdef",)
_URL = b"url=https%3A%2F%2Fexample.com%2Fa.m3u8"
_SIGNATURE = b"&sig=" + b"0" * 64


def read_event(data: bytes) -> object:
    request = parse_event(data)
    cors_headers(Cors(("*",)), origin=request.headers.get("origin", ""), preflight=True)
    range_headers(request.headers)
    return read_query(request.query.encode("utf-8", "surrogatepass"))


def read_query(data: bytes) -> object:
    job = parse_query(text_of(data)).job()
    check_host(job.url, ("com", "example", "redd.it"))
    return job, parse_link(job.url)


def read_signed_link(data: bytes) -> None:
    check_signature(parse_query(text_of(data)).values, keys=_KEYS, now=0.0)


def name_file(data: bytes) -> bytes:
    """Make the file name of a title, which must then be a valid header."""
    text = text_of(data)
    name = file_name(text, "mp4")
    file_name(title_from_url(f"https://example.com/{text}"), "mp4")
    return encode_prelude(ResponseHead(HTTPStatus.OK, (("content-disposition", content_disposition(name)),)))


def read_prelude(data: bytes) -> object:
    """Read a prelude in pieces."""
    reader = PreludeReader()
    for at in range(0, len(data), 1000):
        reader.feed(data[at : at + 1000])
    return reader.head


PARSERS = (
    Parser(
        "event",
        read_event,
        tokens=(
            b'"version":"2.0"',
            b'"rawPath":',
            b'"rawQueryString":',
            b'"requestContext":',
            b'"http":',
            b'"httpMethod":"GET"',
            b'"multiValueQueryStringParameters":',
            b'"headers":',
            b'"method":',
            b"null",
            b"{}",
            b"[]",
            b"1e999",
            b"-0",
            b"\\ud800",
            b"\\u0000",
            b'"',
            b"true",
            b"[[[[[[",
            b"9" * 5000,
        ),
        runs={
            "open brackets": repeated(b"["),
            "open braces": repeated(b'{"a":'),
            "digits": repeated(b"1"),
            "a string": repeated(b"a", head=b'"', tail=b'"'),
            "escapes": repeated(b"\\u0041", head=b'"', tail=b'"'),
            "headers": lambda size: json.dumps(
                {
                    "version": "2.0",
                    "rawPath": "/",
                    "requestContext": {"http": {"method": "GET"}},
                    "headers": {f"x-{number}": "a" for number in range(size // 16)},
                }
            ).encode(),
        },
    ),
    Parser(
        "query",
        read_query,
        tokens=(
            b"url=",
            _URL,
            b"&",
            b"=",
            b"%",
            b"https://",
            b"start=",
            b"end=",
            b"height=720",
            b"format=mp3",
            b"fit=8MB",
            b"exact=1",
            b"1:02:03.5",
            b"+",
            b"filename=",
            b"item=",
            b"audio=",
            b"%00",
            b"%ff",
            b"\xc2\xb2",
            b"[",
            b"]",
            b"@",
            b"#",
            b"video=h264",
            b"mute=1",
        ),
        runs={
            "parameters": numbered(lambda i: b"a%06d=b&" % i),
            "ampersands": repeated(b"&"),
            "equals signs": repeated(b"="),
            "percent signs": repeated(b"%"),
            "escapes": repeated(b"%41"),
            "url and url": repeated(b"url="),
            "a literal address": repeated(b"/a", head=b"url=https://example.com"),
            "a long host": repeated(b"a.", head=b"url=https://"),
            "a long path on Reddit": repeated(b"/a", head=b"url=https://www.reddit.com/r"),
            "colons of a time": repeated(b"1:", head=_URL + b"&start="),
            "digits of a time": repeated(b"1", head=_URL + b"&start="),
            "blanks of a time": repeated(b"+", head=_URL + b"&start="),
            "digits of a size": repeated(b"1", head=_URL + b"&fit="),
            "blanks of a size": repeated(b"+", head=_URL + b"&fit=1", tail=b"x"),
            "a name": repeated(b"a", head=_URL + b"&filename="),
        },
    ),
    Parser(
        "reddit-link",
        lambda data: parse_link(text_of(data)),
        tokens=(
            b"https://",
            b"www.reddit.com",
            b"redd.it",
            b"v.redd.it",
            b"/r/a",
            b"/comments/",
            b"/s/",
            b"/gallery/",
            b"/video/",
            b"/link/",
            b"/player",
            b"/_/",
            b".json",
            b"?",
            b"#",
            b"[",
            b"%",
            b"/asset/",
        ),
        runs={
            "slashes": repeated(b"/", head=b"https://www.reddit.com/r/a/comments/b"),
            "folders": repeated(b"/a", head=b"https://www.reddit.com/r/a/comments/b"),
            "letters": repeated(b"a", head=b"https://www.reddit.com/r/"),
            "a host": repeated(b"a.", head=b"https://", tail=b"reddit.com/"),
            "a media path": repeated(b"/a", head=b"https://v.redd.it"),
        },
    ),
    Parser(
        "signed-link",
        read_signed_link,
        tokens=(_URL, b"&exp=", b"&sig=", b"0" * 64, b"4102444800", b"%0a", b"%ff", b"\xed\xa0\x80", b"=", b"&", b"\xc3\xa9"),
        runs={
            "a long value": repeated(b"a", head=b"exp=4102444800" + _SIGNATURE + b"&a="),
            "a long signature": repeated(b"a", head=b"exp=4102444800&sig="),
            "digits of the expiry": repeated(b"9", head=b"sig=a&exp="),
            "escapes": repeated(b"%0a", head=b"exp=4102444800" + _SIGNATURE + b"&a="),
        },
    ),
    Parser(
        "content-disposition",
        name_file,
        tokens=(
            b"/",
            b"\\",
            b'"',
            b".",
            b"con",
            b"..",
            b"\0",
            b"\r\n",
            "\u202e".encode(),
            "\u200d".encode(),
            "e\u0301".encode(),
            "\U0001f600".encode(),
            b".mp4",
            b"%",
            b"%2f",
            b"~",
            b" ",
            "\u0130".encode(),
            b"?",
            b"#",
            b"[",
        ),
        runs={
            "digits after a generic word": repeated(b"9", head=b"hls", tail=b"-"),
            "generic words": repeated(b"hls_9", tail=b"-"),
        }
        | {
            name: repeated(unit)
            for name, unit in {
                "letters": b"a",
                "blanks": b" ",
                "points": b".",
                "slashes": b"/",
                "marks": "\u0301".encode(),
                "marks in no order": "\u0301\u0316".encode(),
                "ligatures": "\ufdfa".encode(),
                "emoji": "\U0001f468\u200d".encode(),
                "quotes": b'"',
                "digits": b"_1",
                "underscores": b"hls_",
                "Hangul": "\u1100\u1161".encode(),
                "beyond the plane": "\U00020000".encode(),
            }.items()
        },
    ),
    Parser(
        "prelude",
        read_prelude,
        tokens=(b'{"statusCode":200', b',"headers":{', b"}", b"\0" * 8, b"\0", b"NaN", b"1e999", b"[]", b"null", b'"a":"b"'),
        runs={
            "zeros": repeated(b"\0a"),
            "open brackets": repeated(b"["),
            "digits": repeated(b"1", tail=b"\0" * 8),
            "no end": repeated(b"a"),
        },
    ),
    Parser(
        "problem",
        problem_sentence,
        tokens=(b'{"detail":', b'"', b"}", b"null", b"[", b"9" * 5000),
        runs={"open brackets": repeated(b"["), "a sentence": repeated(b"a", head=b'{"detail":"', tail=b'"}'), "digits": repeated(b"1")},
    ),
)
