"""Parsers of playlists, and of what they lead to: attributes, addresses, codecs, plans."""

from fuzz.parser import Parser, numbered, repeated

from transcoder.core.hls.codecs import audio_to_reencode
from transcoder.core.hls.periods import split_pair
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, parse
from transcoder.core.hls.playlist.normalization import attributes, byte_range
from transcoder.core.hls.playlist.uris import UriResolver
from transcoder.core.hls.variant_selection import select_variants, sibling_playlists
from transcoder.core.media.streams import Medium
from transcoder.edge.fetch.local_files import decode_data_url

_URL = "https://example.com/folder/main.m3u8?a=b"
_HEAD, _END = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n", b"#EXT-X-ENDLIST\n"
_SEGMENT = b"#EXTINF:6,\na.ts\n"
_MULTIVARIANT = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"


def text_of(data: bytes) -> str:
    """Decode as the fetcher does."""
    return data.decode("utf-8-sig", "replace")


def read_playlist(data: bytes) -> object:
    """Parse a playlist, and do what follows from it before anything else is fetched."""
    playlist = parse(text_of(data), _URL, imported={"imported": "value"})
    if isinstance(playlist, MediaPlaylist):
        split_pair(playlist, playlist)
        return make_plan(playlist)
    return choose(playlist)


def choose(playlist: MultivariantPlaylist) -> object:
    choice = select_variants(playlist, height=720)[0]
    audio_to_reencode(choice.variant.codecs)
    return [sibling_playlists(playlist, choice, medium) for medium in Medium]


def media(unit: bytes) -> bytes:
    return _HEAD + unit + _SEGMENT + _END


PARSERS = (
    Parser(
        "playlist",
        read_playlist,
        tokens=(
            b"#EXTM3U\n",
            b"#EXTINF:",
            b"#EXT-X-BYTERANGE:",
            b"#EXT-X-KEY:METHOD=AES-128,URI=",
            b"#EXT-X-MAP:URI=",
            b"#EXT-X-DISCONTINUITY\n",
            b"#EXT-X-STREAM-INF:",
            b"#EXT-X-MEDIA:TYPE=AUDIO,",
            b"#EXT-X-DEFINE:NAME=",
            b"{$a}",
            b"#EXT-X-ENDLIST\n",
            b"#EXT-X-GAP\n",
            b"IV=0x",
            b"BYTERANGE=",
            b"#EXT-X-MEDIA-SEQUENCE:",
            b"#EXT-X-TARGETDURATION:",
            b"data:;base64,",
            b"RESOLUTION=",
            b"CODECS=",
            b"BANDWIDTH=",
            b"#EXT-X-I-FRAMES-ONLY\n",
            b"#EXT-X-PROGRAM-DATE-TIME:",
            b"#EXT-X-SKIP:",
            b"#EXT-X-PLAYLIST-TYPE:VOD\n",
            b'"',
            b"=",
            b",",
            b"@",
            b"\r",
            b"0@0",
        ),
        runs={
            "segments": numbered(lambda i: b"#EXTINF:6.000,\nsegment-%06d.ts\n" % i, head=_HEAD, tail=_END),
            "segments with byte ranges": numbered(
                lambda i: b"#EXTINF:6,\n#EXT-X-BYTERANGE:1000@%09d\na.ts\n" % (1000 * i), head=_HEAD, tail=_END
            ),
            "segments in no order": numbered(
                lambda i: b"#EXTINF:6,\n%06d-%06d.ts\n" % (i * 7919 % 1_000_003, i * 104_729 % 1_000_033), head=_HEAD, tail=_END
            ),
            "segments without durations": numbered(lambda i: b"%06d.ts\n" % i, head=_HEAD, tail=_END),
            "discontinuities": repeated(b"#EXT-X-DISCONTINUITY\n" + _SEGMENT, head=_HEAD, tail=_END),
            "keys": numbered(lambda i: b'#EXT-X-KEY:METHOD=AES-128,URI="%06d"\n' % i + _SEGMENT, head=_HEAD, tail=_END),
            "maps": numbered(lambda i: b'#EXT-X-MAP:URI="%06d"\n' % i + _SEGMENT, head=_HEAD, tail=_END),
            "tags": repeated(b"#EXT-X-PLAYLIST-TYPE:VOD\n", head=_HEAD, tail=_SEGMENT + _END),
            "comments": repeated(b"#\n", head=_HEAD, tail=_SEGMENT + _END),
            "blank lines": repeated(b"\n", head=_HEAD, tail=_SEGMENT + _END),
            "carriage returns": repeated(b"\r", head=_HEAD, tail=_SEGMENT + _END),
            "blanks in a line": repeated(b" ", head=_HEAD + b"#EXTINF:6,\na", tail=b"b\n" + _END),
            "blanks of many kinds": repeated(" \ufeff\u00a0\u200b".encode(), head=_HEAD + b"#EXTINF:6,\n", tail=b"b\n" + _END),
            "a long line": repeated(b"x", head=_HEAD, tail=b"\n" + _END),
            "a long address": repeated(b"a/", head=_HEAD + b"#EXTINF:6,\n", tail=b"\n" + _END),
            "an address with escapes": repeated(b"%41%", head=_HEAD + b"#EXTINF:6,\n", tail=b"\n" + _END),
            "an address with blanks": repeated(b"a b", head=_HEAD + b"#EXTINF:6,\n", tail=b"\n" + _END),
            "an address beyond ASCII": repeated("é€".encode(), head=_HEAD + b"#EXTINF:6,\n", tail=b"\n" + _END),
            "dot segments": repeated(b"../", head=_HEAD + b"#EXTINF:6,\n", tail=b"\n" + _END),
            "a data: address": repeated(b"A", head=_HEAD + b"#EXTINF:6,\ndata:;base64,", tail=b"\n" + _END),
            "digits of a duration": repeated(b"9", head=_HEAD + b"#EXTINF:", tail=b",\na.ts\n" + _END),
            "decimals of a duration": repeated(b"9", head=_HEAD + b"#EXTINF:6.", tail=b",\na.ts\n" + _END),
            "blanks before a duration": repeated(b" ", head=_HEAD + b"#EXTINF:", tail=b"x,\na.ts\n" + _END),
            "blanks in a byte range": repeated(b" ", head=_HEAD + b"#EXT-X-BYTERANGE:1@", tail=b"x\n" + _SEGMENT + _END),
            "blanks before an at sign": repeated(b" ", head=_HEAD + b"#EXT-X-BYTERANGE:1", tail=b"x\n" + _SEGMENT + _END),
            "digits of a byte range": repeated(b"1", head=_HEAD + b"#EXT-X-BYTERANGE:", tail=b"@1\n" + _SEGMENT + _END),
            "digits of a sequence number": repeated(b"1", head=_HEAD + b"#EXT-X-MEDIA-SEQUENCE:", tail=b"\n" + _SEGMENT + _END),
            "digits of a target duration": repeated(b"1", head=b"#EXTM3U\n#EXT-X-TARGETDURATION:", tail=b"\n" + _SEGMENT + _END),
            "a date": repeated(b"2020-01-01T00:00:00", head=_HEAD + b"#EXT-X-PROGRAM-DATE-TIME:", tail=b"\n" + _SEGMENT + _END),
            "date ranges": repeated(
                b'#EXT-X-DATERANGE:ID="a",START-DATE="2020-01-01T00:00:00Z",X-A="b"\n', head=_HEAD, tail=_SEGMENT + _END
            ),
            "definitions": numbered(lambda i: b'#EXT-X-DEFINE:NAME="n%06d",VALUE="v"\n' % i, head=_HEAD, tail=_SEGMENT + _END),
            "references": repeated(b"{$a}", head=_HEAD + b'#EXT-X-DEFINE:NAME="a",VALUE="b"\n#EXTINF:6,\n', tail=b"\n" + _END),
            "open references": repeated(b"{$", head=_HEAD + b'#EXT-X-DEFINE:NAME="a",VALUE="b"\n#EXTINF:6,\n', tail=b"\n" + _END),
            "query parameters": repeated(b'#EXT-X-DEFINE:QUERYPARAM="a"\n', head=_HEAD, tail=_SEGMENT + _END),
            "digits of an IV": repeated(b"A", head=_HEAD + b"#EXT-X-KEY:METHOD=AES-128,URI=k,IV=0x", tail=b"\n" + _SEGMENT + _END),
            "variants": numbered(lambda i: b"#EXT-X-STREAM-INF:BANDWIDTH=%06d\n%06d.m3u8\n" % (i, i), head=b"#EXTM3U\n"),
            "renditions": numbered(
                lambda i: b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g%06d",NAME="n",URI="%06d"\n' % (i, i), head=_MULTIVARIANT
            ),
            "codecs": repeated(b"dts,", head=b'#EXTM3U\n#EXT-X-STREAM-INF:CODECS="', tail=b'"\na.m3u8\n'),
            "a resolution": repeated(b"1", head=b"#EXTM3U\n#EXT-X-STREAM-INF:RESOLUTION=", tail=b"x1\na.m3u8\n"),
        },
    ),
    Parser(
        "attributes",
        lambda data: attributes(text_of(data)),
        tokens=(b"NAME=", b'"', b",", b"=", b" ", b"-"),
        runs={
            name: repeated(unit)
            for name, unit in {
                "names": b"A",
                "quotes": b'"',
                "equals signs": b"=",
                "commas": b",",
                "blanks": b" ",
                "names and blanks": b"A ",
                "pairs": b"A=B,",
                "open quotes": b'A="',
                "names and equals signs": b"A=",
                "hyphens": b"-",
                "names and quotes": b'A"',
            }.items()
        },
    ),
    Parser(
        "byte-range",
        lambda data: byte_range(text_of(data)),
        tokens=(b"@", b"1", b" ", b'"'),
        runs={
            "blanks": repeated(b" "),
            "blanks after the at sign": repeated(b" ", head=b"1@", tail=b"x"),
            "blanks after the length": repeated(b" ", head=b"1", tail=b"x"),
            "blanks after the offset": repeated(b" ", head=b"1@1", tail=b"x"),
            "digits": repeated(b"1"),
            "quotes": repeated(b'"'),
            "at signs": repeated(b"@"),
        },
    ),
    Parser(
        "uri",
        lambda data: UriResolver(_URL).resolve(text_of(data)),
        tokens=(b"http://", b"//", b"../", b"%", b"?", b"#", b"[", b"]", b"@", b":"),
        runs={
            name: repeated(unit)
            for name, unit in {
                "letters": b"a",
                "folders": b"a/",
                "dots": b".",
                "dot segments": b"../",
                "percent signs": b"%",
                "blanks": b" ",
                "brackets": b"[",
                "colons": b":",
                "at signs": b"@",
                "question marks": b"?",
                "hash signs": b"#",
                "beyond ASCII": "é".encode(),
            }.items()
        },
    ),
    Parser(
        "data-url",
        lambda data: decode_data_url("data:" + data.decode("latin-1")),
        tokens=(b";base64,", b",", b"%", b"%41", b"="),
        runs={
            "base64": repeated(b"AAAA", head=b";base64,"),
            "escapes": repeated(b"%41", head=b","),
            "percent signs": repeated(b"%", head=b","),
            "no comma": repeated(b";"),
            "padding": repeated(b"=", head=b";base64,"),
        },
    ),
    Parser(
        "codecs",
        lambda data: audio_to_reencode(text_of(data).split(",")),
        tokens=(b"mp4a.40.34", b"dts", b",", b"avc1.64001f"),
        runs={"one name": repeated(b"a"), "many names": repeated(b"a,"), "points": repeated(b".")},
    ),
)
