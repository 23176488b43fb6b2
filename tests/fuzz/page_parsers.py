"""Parsers of texts for readers: subtitles, Reddit's feeds, and the pages with which other sites embed a post."""

from collections.abc import Callable

from fuzz.parser import Parser, repeated
from fuzz.playlist_parsers import text_of

from transcoder.core.media.subtitles import parse_webvtt, write_subrip, write_webvtt
from transcoder.core.source.reddit.embed import read_embed
from transcoder.core.source.reddit.feed import read_feed
from transcoder.core.source.reddit.html_content import parse_elements
from transcoder.core.source.reddit.links import PostLink
from transcoder.core.source.reply import HttpReply

_LINK = PostLink("abc", subreddit="aww", comment="def")
_HEAD, _CUE = b"WEBVTT\n\n", b"WEBVTT\n\n00:01.000 --> 00:02.000\n"
_FEED = b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>t3_abc</id><content>"
_PAGE = b'<shreddit-screenview-data data="{&quot;post&quot;:{&quot;id&quot;:&quot;t3_abc&quot;}}"></shreddit-screenview-data>'
_NUMBER = b"&#" + b"9" * 5000
_MARKUP = (
    b"<",
    b"</",
    b"<!",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"<?",
    b"<a ",
    b"</a ",
    b'<a b="" ',
    b"<a/",
    b"&",
    b"&#",
    b"<script>",
    b"<h1>",
    b">",
)


def read_subtitles(data: bytes) -> object:
    found = parse_webvtt(data)
    return write_webvtt(found), write_subrip(found)


def reply(kind: str) -> Callable[[bytes], HttpReply]:
    return lambda data: HttpReply("https://www.reddit.com/comments/abc/.rss", 200, kind, text_of(data))


_atom, _html = reply("application/atom+xml"), reply("text/html")

PARSERS = (
    Parser(
        "webvtt",
        read_subtitles,
        tokens=(
            b"WEBVTT",
            b"\n\n",
            b"-->",
            b"00:01.000 --> 00:02.000",
            b"NOTE",
            b"STYLE\n",
            b"X-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00.000",
            b"<b>",
            _NUMBER,
        ),
        runs={
            "blanks": repeated(b" ", head=_HEAD, tail=b"x\n"),
            "blanks before an arrow": repeated(b" ", head=_HEAD + b"00:01.000", tail=b"x-->00:02.000\nx\n"),
            "blanks after an arrow": repeated(b" ", head=_HEAD + b"00:01.000 -->", tail=b"x\n"),
            "blanks in a map": repeated(b" ", head=b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00.000", tail=b"x\n\n"),
            "digits": repeated(b"1", head=_HEAD, tail=b" --> 00:02.000\n"),
            "lines": repeated(b"a\n", head=_CUE),
            "cues": repeated(_CUE[8:] + b"x\n\n", head=_HEAD),
            "comments": repeated(b"NOTE\n\n", head=_HEAD),
            "declarations": repeated(b"<?xml "),
            **{f"cues of {unit.decode()}": repeated(_CUE[8:] + unit * (9999 // len(unit)) + b"\n\n", head=_HEAD) for unit in _MARKUP},
        },
    ),
    Parser(
        "html",
        lambda data: parse_elements(text_of(data), {"a", "h1"}),
        tokens=(_NUMBER, *_MARKUP),
        runs={unit.decode(): repeated(unit) for unit in _MARKUP} | {f"{unit.decode()} …": repeated(unit, tail=b">") for unit in _MARKUP},
    ),
    Parser(
        "feed",
        lambda data: read_feed(_atom(data), _LINK),
        tokens=(_FEED, b"</content></entry></feed>", b"&lt;a href=&quot;", b"<entry>", b"<id>t1_def</id>", b"<!DOCTYPE", b"xmlns:a='b'"),
        runs={
            unit.decode(): repeated(b"".join(b"&#%d;" % byte for byte in unit), head=_FEED, tail=b"</content></entry></feed>")
            for unit in _MARKUP
        }
        | {"entries": repeated(b"<entry/>", head=_FEED + b"</content></entry>", tail=b"</feed>")},
    ),
    Parser(
        "embed",
        lambda data: read_embed(_html(data), _LINK),
        tokens=(_PAGE, b"<shreddit-player src='https://v.redd.it/abc/HLSPlaylist.m3u8'>", b"<h1>", _NUMBER, *_MARKUP),
        runs={unit.decode(): repeated(unit, head=_PAGE) for unit in _MARKUP}
        | {"players": repeated(b"<shreddit-player src='https://v.redd.it/abc/HLSPlaylist.m3u8'>", head=_PAGE)},
    ),
)
