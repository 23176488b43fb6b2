"""Compressed bodies that expand, wherever the program reads a body or throws one away, and responses that take much work for each byte."""

import zlib
from collections.abc import Mapping
from functools import cache, partial

from attack.line import Files, Line, download
from fuzz.media_pieces import INIT, moof, trun
from peers.origin import Rule

from transcoder.core.media.mp4.boxes import box

MIB = 1024 * 1024
_GZIP_WBITS = 16 + zlib.MAX_WBITS
_MEDIA = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n%b#EXTINF:6,\na.mp4\n#EXT-X-ENDLIST\n"
_SEGMENT = moof(trun(1)) + box(b"mdat", bytes(100))


def compress(pieces: bytes, times: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=_GZIP_WBITS)
    return b"".join(compressor.compress(pieces) for _ in range(times)) + compressor.flush()


@cache
def bomb(layers: int) -> bytes:
    """Return at most 64 KiB that expand to 64 MiB in one layer, and to 1 GiB in two."""
    if layers == 1:
        return compress(b"\n" * MIB, 60)
    return compress(compress(bytes(MIB), 1024), 1)


def compressed(layers: int, **options: object) -> Rule:
    headers = {"Content-Encoding": ", ".join(["gzip"] * layers)}
    return Rule(headers=headers, body=bomb(layers), **options)  # type: ignore[arg-type]  # the options are fields of a rule


def files() -> Files:
    playlist = _MEDIA % b'#EXT-X-MAP:URI="init.mp4"\n'
    return {
        "/main.m3u8": playlist,
        "/key.m3u8": _MEDIA % b'#EXT-X-KEY:METHOD=AES-128,URI="key"\n',
        "/init.mp4": INIT,
        "/a.mp4": _SEGMENT,
        "/key": bytes(16),
    }


def _rules(path: str, rule: Rule) -> "Mapping[str, Rule]":
    return {path: rule}


def _line(what: str, path: str, layers: int, *, of: str = "/main.m3u8", **options: object) -> Line:
    name = f"{what}, {layers} {'layer' if layers == 1 else 'layers'} of gzip"
    return Line(name, download(files, lambda: _rules(path, compressed(layers, **options)), path=of))


_EXPENSIVE = {
    "a header field of 90,000 blanks": Rule(headers={"x": " " * 90_000 + "\0"}),
    "10,000 header fields": Rule(headers={f"x{number}": "a" for number in range(10_000)}),
    "interim responses without end": Rule(continues=0.0),
    "500,000 chunks of one byte": Rule(body=b"#" * 500_000, trickle=(1, 0.0), chunked=True),
}


LINES = tuple(
    Line(f"{where}: {what}", download(files, partial(_rules, path, rule)))
    for what, rule in _EXPENSIVE.items()
    for where, path in (("a playlist", "/main.m3u8"), ("a segment", "/a.mp4"))
) + tuple(
    line
    for layers in (1, 2)
    for line in (
        _line("a redirect of a playlist", "/main.m3u8", layers, redirect="/other.m3u8"),
        _line("a redirect of a segment", "/a.mp4", layers, redirect="/other.mp4"),
        _line("a 403 for a playlist", "/main.m3u8", layers, status=403, of="/main.m3u8?a=b"),
        _line("a 404 for a segment", "/a.mp4", layers, status=404),
        _line("a 503 for a segment", "/a.mp4", layers, status=503),
        _line("a playlist", "/main.m3u8", layers),
        _line("a segment", "/a.mp4", layers),
        _line("an initialization section", "/init.mp4", layers),
        _line("a key", "/key", layers, of="/key.m3u8"),
        _line("a file", "/a.bin", layers, of="/a.bin"),
    )
)
