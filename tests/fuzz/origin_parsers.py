"""Parsers of what an origin sends beside media: header fields, Reddit's documents, compressed bodies."""

import gzip
import zlib
from http import HTTPStatus

import httpx
from fuzz.parser import Parser, repeated
from fuzz.playlist_parsers import text_of

from transcoder.core.answer.passthrough import FileHead, file_extension, safe_content_type, should_pass_through
from transcoder.core.media.text import is_text
from transcoder.core.source.reddit import mp4_files, parse_reply, read_post, read_token
from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.cookies import cookie_jar
from transcoder.edge.fetch.passthrough import read_file_head
from transcoder.edge.fetch.retry import TransientError, error_for_status
from transcoder.edge.fetch.session import resolve_url
from transcoder.edge.fetch.validators import ContentRange, Validators, length_after_416
from transcoder.edge.resource_name import resource_name
from transcoder.errors import TranscoderError

_REQUEST = httpx.Request("GET", "https://example.com/a.ts")
_REPLY = "https://www.reddit.com/comments/abc.json"
_REFUSALS = (TranscoderError, TransientError)


def respond(field: str, data: bytes, *, status: int = 200) -> httpx.Response:
    """Return a response with one field, whose value is `data` without the bytes that HTTP does not allow in it."""
    value = data.translate(None, b"\r\n\0").strip()
    return httpx.Response(status, headers=[(field.encode(), value)], request=_REQUEST)


def read_content_range(data: bytes) -> object:
    return ContentRange.of(respond("Content-Range", data, status=206)), length_after_416(respond("Content-Range", data, status=416))


def read_content_type(data: bytes) -> object:
    kind = respond("Content-Type", data).headers["Content-Type"]
    head = FileHead("https://example.com/a", HTTPStatus.OK, safe_content_type(kind), None)
    return should_pass_through(data, kind), file_extension(head), is_text(data)


def read_validators(data: bytes) -> object:
    found = [Validators.of(respond(field, data), None) for field in ("ETag", "Last-Modified")]
    return found[0].allow_same(found[1]), read_file_head(respond("ETag", data)).response_head("a")


def read_cookies(data: bytes) -> object:
    """Take a cookie as the HTTP client does, and send it back."""
    cookies = httpx.Cookies(cookie_jar())
    cookies.extract_cookies(respond("Set-Cookie", data))
    cookies.set_cookie_header(httpx.Request("GET", "https://example.com/b.ts"))
    return cookies


def read_location(data: bytes) -> object:
    found = resolve_url(text_of(data), _REQUEST.url)
    return resource_name(str(found))


def decode_body(data: bytes) -> int:
    decoder = BodyDecoder(respond("Content-Encoding", b"gzip"))
    length = sum(len(piece) for at in range(0, len(data), 4096) for piece in decoder.decode(data[at : at + 4096]))
    decoder.finish()
    return length


def read_reddit(data: bytes) -> object:
    reply = HttpReply(_REPLY, 200, "application/json", text_of(data))
    return read_post(parse_reply(reply)), read_post(parse_reply(reply), comment="abc")


def read_api_token(data: bytes) -> object:
    return read_token(HttpReply(_REPLY, 200, "application/json", text_of(data)))


def deflated(unit: bytes) -> bytes:
    return gzip.compress(unit, mtime=0)


def _texts(**units: bytes) -> dict[str, object]:
    return {name.replace("_", " "): repeated(unit) for name, unit in units.items()}


PARSERS = (
    Parser(
        "content-range",
        read_content_range,
        tokens=(b"bytes ", b"0-9/10", b"*", b"/", b"-", b"9" * 18, b"\xc2\xb2"),
        runs={"digits": repeated(b"1", head=b"bytes "), "blanks": repeated(b" ", head=b"bytes 0-", tail=b"x"), "hyphens": repeated(b"-")},
    ),
    Parser(
        "content-type",
        read_content_type,
        tokens=(b"video/mp4", b";", b"/", b"application/vnd.apple.mpegurl", b" ", b"charset=", b"text/html", b"\xff"),
        runs={
            "letters": repeated(b"a"),
            "slashes": repeated(b"/"),
            "semicolons": repeated(b";"),
            "blanks": repeated(b" ", head=b"a", tail=b"b"),
        },
    ),
    Parser(
        "validators",
        read_validators,
        tokens=(b'"', b"W/", b"Sat, 01 Jan 2022 00:00:00 GMT"),
        runs={"letters": repeated(b"a"), "quotes": repeated(b'"')},
    ),
    Parser(
        "retry-after",
        lambda data: error_for_status(respond("Retry-After", data, status=503), "https://example.com/a.ts"),
        tokens=(b"Sat, 01 Jan 2022 00:00:00 GMT", b"+0000", b"-9999999999", b"99999", b":", b",", b"(", b"\xc2\xb2", b"9" * 5000, b"-0000"),
        runs={
            name: repeated(unit)
            for name, unit in {
                "digits": b"1",
                "dates": b"Sat, 01 Jan 2022 00:00:00 GMT ",
                "commas": b",",
                "colons": b"1:",
                "brackets": b"(",
                "blanks": b"a ",
                "hyphens": b"1-",
            }.items()
        },
    ),
    Parser(
        "set-cookie",
        read_cookies,
        tokens=(
            b"a=b",
            b"; Path=/",
            b"; Domain=example.com",
            b"; Expires=",
            b"Sat, 01 Jan 2022 00:00:00 GMT",
            b"; Max-Age=",
            b'"',
            b"; Secure",
            b",",
            b"=",
            b"\xc2\xb2",
        ),
        runs={
            name: repeated(unit)
            for name, unit in {
                "letters": b"a",
                "semicolons": b";",
                "equals signs": b"=",
                "quotes": b'"',
                "commas": b"a=b,",
                "attributes": b"; a=b",
                "blanks": b" a",
                "backslashes": b'"\\',
            }.items()
        }
        | {
            "an expiry": repeated(b"1", head=b"a=b; Expires="),
            "an expiry of blanks": repeated(b" ", head=b"a=b; Expires=Sat, 01 Jan 2022", tail=b"x"),
            "an expiry of hyphens": repeated(b"1-", head=b"a=b; Expires="),
        },
    ),
    Parser(
        "location",
        read_location,
        tokens=(
            b"http://",
            b"//",
            b"../",
            b"%",
            b"[",
            b"]",
            b"@",
            b":",
            b"#",
            b"?",
            b"\\",
            b"example.com",
            b"xn--",
            "\u2024".encode(),
            b"0x7f",
            b":99999",
        ),
        runs={
            name: repeated(unit)
            for name, unit in {
                "letters": b"a",
                "folders": b"/a",
                "dot segments": b"../",
                "percent signs": b"%",
                "at signs": b"@",
                "colons": b":",
                "brackets": b"[",
                "beyond ASCII": "é".encode(),
                "question marks": b"?",
            }.items()
        }
        | {"a host": repeated(b"a.", head=b"http://"), "a host beyond ASCII": repeated("é.".encode(), head=b"http://")},
        refusals=_REFUSALS,
    ),
    Parser(
        "gzip",
        decode_body,
        tokens=(b"\x1f\x8b\x08\0", zlib.compress(b"a")),
        runs={
            "zeros": lambda size: deflated(bytes(size)),
            "members": repeated(deflated(b"a")),
            "text": lambda size: deflated(b"a,b\n" * (size // 4)),
        },
        refusals=_REFUSALS,
    ),
    Parser(
        "mpd",
        lambda data: mp4_files(text_of(data), "https://v.redd.it/abc/DASHPlaylist.mpd", height=720),
        tokens=(
            b"<MPD>",
            b"</MPD>",
            b"<Period>",
            b"<AdaptationSet mimeType='video/mp4'>",
            b"<Representation bandwidth='1'>",
            b"<BaseURL>",
            b"</BaseURL>",
            b"&#x0;",
            b"&amp;",
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"<?xml version='1.0' encoding='utf-16'?>",
            b"<!DOCTYPE",
            b"xmlns:a='b'",
            b"mediaPresentationDuration='PT1H'",
            b"http://[",
        ),
        runs={
            "open elements": repeated(b"<a>"),
            "elements": repeated(b"<a/>", head=b"<MPD>", tail=b"</MPD>"),
            "attributes": lambda size: b"<MPD " + b"".join(b"a%d='' " % number for number in range(size // 9)) + b"/>",
            "namespaces": lambda size: b"<MPD " + b"".join(b"xmlns:a%d='b' " % number for number in range(size // 14)) + b"/>",
            "comments": repeated(b"<!---->", head=b"<MPD>", tail=b"</MPD>"),
            "open comments": repeated(b"<!--", head=b"<MPD>"),
            "references": repeated(b"&amp;", head=b"<MPD>", tail=b"</MPD>"),
            "exclamation marks": repeated(b"<!"),
            "representations": repeated(
                b"<Representation><BaseURL>a</BaseURL></Representation>",
                head=b"<MPD><Period><AdaptationSet mimeType='video/mp4'>",
                tail=b"</AdaptationSet></Period></MPD>",
            ),
            "a duration": repeated(b"1", head=b"<MPD mediaPresentationDuration='PT", tail=b"H'/>"),
        },
    ),
    Parser(
        "reddit",
        read_reddit,
        tokens=(
            b'"data":',
            b'"children":',
            b'"secure_media":',
            b'"reddit_video":',
            b'"hls_url":',
            b'"https://v.redd.it/abc/HLSPlaylist.m3u8"',
            b'"media_metadata":',
            b'"crosspost_parent_list":',
            b'"preview":',
            b"[",
            b"]",
            b"{",
            b"}",
            b"null",
            b"1e999",
            b"NaN",
            b"-1",
            b"&amp;",
            b"&#",
            b'"replies":',
            b'"selftext":',
        ),
        runs={
            "open brackets": repeated(b"["),
            "open braces": repeated(b'{"data":'),
            "digits": repeated(b"1"),
            "a page": repeated(b"<p>"),
            "a text": repeated(b"https://v.redd.it/abc ", head=b'[{"data":{"children":[{"data":{"selftext":"', tail=b'"}}]}}]'),
            "references": repeated(b"&amp;", head=b'[{"data":{"children":[{"data":{"title":"', tail=b'"}}]}}]'),
            "slashes": repeated(b"//", head=b'[{"data":{"children":[{"data":{"selftext":"', tail=b'"}}]}}]'),
        },
    ),
    Parser(
        "reddit-token",
        read_api_token,
        tokens=(b'{"access_token":"a"', b',"expires_in":', b"1e999", b"}", b"-1", b"\\u0000"),
        runs={"a token": repeated(b"a", head=b'{"access_token":"', tail=b'"}')},
    ),
)
