"""Unusual servers and playlists as found in the wild: the output is exact, or the source is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.origin import Rule
from peers.source_files import assert_exact, edited

SERVERS = [
    pytest.param({"*": Rule(ignore_range=True)}, "ts-byterange", id="whole files for byte ranges"),
    pytest.param({"/main.m3u8": Rule(gzip=True)}, "ts-muxed", id="gzip on the playlist"),
    pytest.param({"*": Rule(headers={"Content-Type": "text/html"})}, "ts-muxed", id="wrong content types"),
    pytest.param({"*": Rule(status=403, when=lambda request: bool(request.query))}, "ts-muxed", id="403 with the query"),
    pytest.param({"/segment-1.ts": Rule(times=1, status=503, headers={"Retry-After": "1"})}, "ts-muxed", id="Retry-After"),
    pytest.param({"/segment-1.ts": Rule(times=1, cut_after=5000)}, "ts-muxed", id="a segment cut once"),
    pytest.param({"*": Rule(chunked=True)}, "ts-muxed", id="chunked"),
    pytest.param({"/segment-0.ts": Rule(trickle=(20_000, 0.05))}, "ts-muxed", id="a slow origin"),
]


@pytest.mark.parametrize(("rules", "name"), SERVERS)
def test_unusual_servers_are_supported(
    rules: dict[str, Rule], name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    folder = media(name)
    origin = serve(folder)
    origin.rules.update(rules)
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")
    assert_exact(origin, tmp_path / "output.mp4", source, path="/main.m3u8?signed=1")


def test_segments_may_have_any_name_and_start_with_a_png(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    files, source = muxed
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
    disguised = {f"/{number}.jpg": png + files[f"/segment-{number}.ts"] for number in range(3)}
    playlist = re.sub(r"segment-(\d)\.ts", r"\1.jpg", files["/main.m3u8"].decode()).encode()
    assert_exact(serve({"/watch": playlist, **disguised}), tmp_path / "output.mp4", source, path="/watch")


TEXTS = [
    pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="a byte order mark"),
    pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="CRLF"),
    pytest.param(lambda text: text.replace(b"\n", b"\r"), id="bare CR"),
    pytest.param(lambda text: text.replace(b"#EXTM3U\n", b""), id="no EXTM3U"),
    pytest.param(lambda text: text.replace(b"#EXT-X-ENDLIST", b""), id="VOD without ENDLIST"),
    pytest.param(lambda text: re.sub(rb"EXTINF:(\d)\.\d+,", rb"EXTINF:\1", text), id="EXTINF in whole seconds without a comma"),
    pytest.param(lambda text: text.replace(b"\n", b"\n\n# a comment\n#EXT-X-UNKNOWN:1\n"), id="comments and unknown tags"),
]


@pytest.mark.parametrize("change", TEXTS)
def test_unusual_playlist_syntax_is_accepted(
    change: Callable[[bytes], bytes], muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    files, source = muxed
    assert_exact(serve({**files, "/main.m3u8": change(files["/main.m3u8"])}), tmp_path / "output.mp4", source)


def test_a_gap_is_not_fetched_and_keeps_its_duration(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    files, _ = muxed
    origin = serve(edited(files, "/main.m3u8", r"^(#EXTINF.*\nsegment-1\.ts)", r"#EXT-X-GAP\n\1"))
    output = tmp_path / "output.mp4"
    result = get(origin.url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert not origin.requests_of("/segment-1.ts")
    remaining = tmp_path / "remaining.ts"
    remaining.write_bytes(files["/segment-0.ts"] + files["/segment-2.ts"])
    assert media_reader.packet_counts(output) == media_reader.packet_counts(remaining)
    assert media_reader.header_duration(output) == pytest.approx(6.0, abs=0.1)


def test_the_next_variant_is_selected_if_the_first_is_missing(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    files, source = muxed
    attributes = "BANDWIDTH=900000,RESOLUTION=320x180"
    entry = f"#EXTM3U\n#EXT-X-STREAM-INF:{attributes}\ngone.m3u8\n#EXT-X-STREAM-INF:{attributes}\nmain.m3u8\n"
    assert_exact(serve({**files, "/entry.m3u8": entry.encode()}), tmp_path / "output.mp4", source, path="/entry.m3u8")


def test_variables_are_substituted(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    files, source = muxed
    text = re.sub(rb"segment-", b"{$stem}-", files["/main.m3u8"]).replace(
        b"#EXT-X-VERSION:7", b'#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME="stem",VALUE="segment"'
    )
    assert_exact(serve({**files, "/main.m3u8": text}), tmp_path / "output.mp4", source)


@pytest.mark.parametrize(
    "tag",
    [
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="a.key"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"',
        '#EXT-X-KEY:METHOD=AES-256,URI="a.key"',
    ],
)
def test_protected_streams_are_refused_before_any_media_is_fetched(
    tag: str, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(edited(muxed[0], "/main.m3u8", "^#EXTINF", f"{tag}\n#EXTINF"))
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 3
    assert [request.path for request in origin.requests] == ["/main.m3u8"]


def test_live_streams_are_refused_with_a_message(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    files, _ = muxed
    text = files["/main.m3u8"].replace(b"#EXT-X-ENDLIST", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD\n", b"")
    result = get(serve({**files, "/main.m3u8": text}).url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 3
    assert "no end" in result.stderr.decode()
