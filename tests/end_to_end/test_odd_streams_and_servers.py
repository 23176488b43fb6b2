"""What streams and servers in the wild do: encryption, packed audio, gaps, odd servers. Each comes out exactly, or is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from peers import media_reader
from peers.av_sync import sound_late
from peers.get_command import get
from peers.origin import Origin, Rule


def files(folder: Path) -> dict[str, bytes]:
    return {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}


def edited(given: dict[str, bytes], path: str, pattern: str, replacement: str) -> dict[str, bytes]:
    """Return the files with a playlist rewritten."""
    text, count = re.subn(pattern, replacement, given[path].decode(), flags=re.MULTILINE)
    assert count
    return {**given, path: text.encode()}


def assert_gets(origin: Origin, ours: Path, *sources: Path, path: str = "/main.m3u8") -> None:
    done = get(origin.url(path), ours)
    assert done.returncode == 0, done.stderr.decode()
    assert media_reader.hashes(ours) == media_reader.source_hashes(*sources)
    assert media_reader.header_duration(ours) == pytest.approx(media_reader.length(*sources), abs=0.1)
    assert media_reader.is_whole(ours)


@pytest.fixture
def muxed(media: Callable[[str], Path], tmp_path: Path) -> tuple[dict[str, bytes], Path]:
    """A film in three segments, and the same in one file."""
    folder = media("ts-muxed")
    return files(folder), media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")


@pytest.mark.parametrize("name", ["aes-ts", "aes-fmp4"])
def test_aes_128_with_rotating_keys_is_taken_off(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    source = media_reader.concatenate(folder / "clear.m3u8", tmp_path / "source")
    assert_gets(serve(folder), tmp_path / "ours.mp4", source)


def test_keys_come_from_behind_redirects_and_out_of_data_addresses(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media("aes-ts")
    key = (folder / "b.key").read_bytes().hex()
    percent = "".join(f"%{key[at : at + 2]}" for at in range(0, 32, 2))
    given = edited(files(folder), "/main.m3u8", 'URI="b.key"', f'URI="data:application/octet-stream,{percent}"')
    origin = serve(given)
    origin.rules["/a.key"] = Rule(redirect="/moved.key")
    origin.files = {**given, "/moved.key": given["/a.key"]}
    assert_gets(origin, tmp_path / "ours.mp4", media_reader.concatenate(folder / "clear.m3u8", tmp_path / "source"))


@pytest.mark.parametrize("key", [b"", b"too short", b"k" * 17, b"wrong, 16 bytes."])
def test_a_key_that_is_none_is_a_failure(key: bytes, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve({**files(media("aes-ts")), "/b.key": key})
    done = get(origin.url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode in {3, 4}
    assert not (tmp_path / "ours.mp4").exists()


@pytest.mark.parametrize(
    "tag",
    [
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="a.key"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"',
        '#EXT-X-KEY:METHOD=AES-256,URI="a.key"',
    ],
)
def test_protected_streams_are_refused_before_any_media(
    tag: str, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(edited(muxed[0], "/main.m3u8", "^#EXTINF", f"{tag}\n#EXTINF"))
    done = get(origin.url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode == 3
    assert [request.path for request in origin.requests] == ["/main.m3u8"]


@pytest.mark.parametrize("name", ["packed-aac", "packed-aac-byterange", "packed-mp3", "packed-ac3", "packed-eac3"])
def test_packed_audio_lies_where_its_id3_says(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, ours = media(name), tmp_path / "ours.mp4"
    done = get(serve(folder).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    picture = media_reader.concatenate(folder / "picture.m3u8", tmp_path / "picture.ts")
    (sound,) = folder.glob("sound.whole.*")
    assert media_reader.hashes(ours)["video"] == media_reader.source_hashes(picture)["video"]
    assert media_reader.hashes(ours)["audio"] == media_reader.source_hashes(sound)["audio"]
    assert max(map(abs, sound_late(ours))) < 0.012
    assert media_reader.is_whole(ours)


def test_packed_audio_alone_is_a_film(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, ours = media("packed-aac-only"), tmp_path / "ours.mp4"
    done = get(serve(folder).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    (sound,) = folder.glob("sound.whole.*")
    assert media_reader.hashes(ours) == media_reader.source_hashes(sound)


def without(segment: bytes, *pids: int) -> bytes:
    """Leave the packets of some PIDs out of a transport stream."""
    packets = (segment[at : at + 188] for at in range(0, len(segment), 188))
    return b"".join(packet for packet in packets if (packet[1] & 0x1F) << 8 | packet[2] not in pids)


TABLES = (0x00, 0x11, 0x1000)
PICTURE, SOUND = 0x100, 0x101


@pytest.mark.parametrize("late", [PICTURE, SOUND])
def test_what_begins_in_a_later_segment_is_in_the_film(
    late: int, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    given, _ = muxed
    first = next(path for path in sorted(given) if path.endswith(".ts"))
    given = {**given, first: without(given[first], late)}
    for path, content in given.items():
        (tmp_path / path[1:]).write_bytes(content)
    assert_gets(serve(given), tmp_path / "ours.mp4", media_reader.concatenate(tmp_path / "main.m3u8", tmp_path / "source"))


def test_each_segment_may_bring_its_own_header(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media("fmp4-byterange")
    text = (folder / "main.m3u8").read_text()
    name = re.findall(r"^[^#].*$", text, re.MULTILINE)[0]
    whole = (folder / name).read_bytes()
    ranges = [(int(length), int(start)) for length, start in re.findall(r"BYTERANGE:(\d+)@(\d+)", text)]
    # Each segment is longer than what is read of a segment's end to learn when it ends.
    bodies = [whole[: ranges[0][1]] + whole[start : start + length] + b"\0\4\0\0free" + bytes(0x40000 - 8) for length, start in ranges]
    listed = "".join(f"#EXTINF:2.0,\n{number}.m4s\n" for number in range(len(bodies)))
    given = {f"/{number}.m4s": body for number, body in enumerate(bodies)}
    given["/main.m3u8"] = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{listed}#EXT-X-ENDLIST\n".encode()
    assert_gets(serve(given), tmp_path / "ours.mp4", media_reader.concatenate(folder / "main.m3u8", tmp_path / "source"))


def test_what_begins_too_late_is_no_silent_loss(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    given = files(media("ts-muxed"))
    names = sorted(path for path in given if path.endswith(".ts"))
    mute = [without(given[names[0]], SOUND)] * 9
    parts = {f"/mute-{number}.ts": segment for number, segment in enumerate(mute)}
    listed = "".join(f"#EXTINF:2.0,\n{path[1:]}\n" for path in [*parts, names[1]])
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{listed}#EXT-X-ENDLIST\n"
    done = get(serve({**given, **parts, "/late.m3u8": text.encode()}).url("/late.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode in {3, 4}, done.stderr.decode()
    assert not (tmp_path / "ours.mp4").exists()


@pytest.mark.parametrize("in_map", [True, False])
def test_tables_may_stand_but_once(in_map: bool, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    given, source = muxed
    names = sorted(path for path in given if path.endswith(".ts"))
    tables = given[names[0]][: 3 * 188]
    bare = {path: without(given[path], *TABLES) for path in names[0 if in_map else 1 :]}
    given = {**given, **bare, "/tables.ts": tables}
    if in_map:
        given = edited(given, "/main.m3u8", r"\A((?:#.*\n)*?)#EXTINF", '\\1#EXT-X-MAP:URI="tables.ts"\n#EXTINF')
    assert_gets(serve(given), tmp_path / "ours.mp4", source)


def test_timestamps_that_wrap_are_no_leap(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, ours = media("ts-wrap"), tmp_path / "ours.mp4"
    done = get(serve(folder).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")
    assert media_reader.hashes(ours) == media_reader.source_hashes(source)
    assert media_reader.header_duration(ours) == pytest.approx(media_reader.length(ours), abs=0.1)
    assert max(map(abs, sound_late(ours))) < 0.012


SERVERS = [
    pytest.param({"*": Rule(ignore_range=True)}, "ts-byterange", id="whole files for ranges"),
    pytest.param({"/main.m3u8": Rule(gzip=True)}, "ts-muxed", id="gzip on the playlist"),
    pytest.param({"*": Rule(headers={"Content-Type": "text/html"})}, "ts-muxed", id="wrong content types"),
    pytest.param({"*": Rule(status=403, when=lambda asked: bool(asked.query))}, "ts-muxed", id="403 with the query"),
    pytest.param({"/film-1.ts": Rule(times=1, status=503, headers={"Retry-After": "1"})}, "ts-muxed", id="Retry-After"),
    pytest.param({"/film-1.ts": Rule(times=1, cut_after=5000)}, "ts-muxed", id="a segment cut once"),
    pytest.param({"*": Rule(chunked=True)}, "ts-muxed", id="chunked"),
    pytest.param({"/film-0.ts": Rule(trickle=(20_000, 0.05))}, "ts-muxed", id="a slow origin"),
]


@pytest.mark.parametrize(("rules", "name"), SERVERS)
def test_odd_servers_are_understood(rules: dict[str, Rule], name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    origin.rules.update(rules)
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")
    assert_gets(origin, tmp_path / "ours.mp4", source, path="/main.m3u8?signed=1")


def test_segments_may_have_any_name_and_a_picture_before_them(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    given, source = muxed
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
    disguised = {f"/{number}.jpg": png + given[f"/film-{number}.ts"] for number in range(3)}
    playlist = re.sub(r"film-(\d)\.ts", r"\1.jpg", given["/main.m3u8"].decode()).encode()
    assert_gets(serve({"/watch": playlist, **disguised}), tmp_path / "ours.mp4", source, path="/watch")


TEXTS = [
    pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="a byte order mark"),
    pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="CRLF"),
    pytest.param(lambda text: text.replace(b"\n", b"\r"), id="bare CR"),
    pytest.param(lambda text: text.replace(b"#EXTM3U\n", b""), id="no EXTM3U"),
    pytest.param(lambda text: text.replace(b"#EXT-X-ENDLIST", b""), id="no ENDLIST on a VOD"),
    pytest.param(lambda text: re.sub(rb"EXTINF:(\d)\.\d+,", rb"EXTINF:\1", text), id="EXTINF in whole seconds without a comma"),
    pytest.param(lambda text: text.replace(b"\n", b"\n\n# a comment\n#EXT-X-UNKNOWN:1\n"), id="comments and unknown tags"),
]


@pytest.mark.parametrize("change", TEXTS)
def test_odd_playlists_are_read(
    change: Callable[[bytes], bytes], muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    given, source = muxed
    assert_gets(serve({**given, "/main.m3u8": change(given["/main.m3u8"])}), tmp_path / "ours.mp4", source)


def test_a_gap_is_not_asked_for_and_keeps_its_time(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    given, _ = muxed
    origin = serve(edited(given, "/main.m3u8", r"^(#EXTINF.*\nfilm-1\.ts)", r"#EXT-X-GAP\n\1"))
    ours = tmp_path / "ours.mp4"
    done = get(origin.url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    assert not origin.requests_of("/film-1.ts")
    ends = tmp_path / "ends.ts"
    ends.write_bytes(given["/film-0.ts"] + given["/film-2.ts"])
    assert media_reader.packets(ours) == media_reader.packets(ends)
    assert media_reader.header_duration(ours) == pytest.approx(6.0, abs=0.1)


def test_the_next_variant_is_taken_when_the_first_cannot_be_had(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    given, source = muxed
    attributes = "BANDWIDTH=900000,RESOLUTION=320x180"
    entry = f"#EXTM3U\n#EXT-X-STREAM-INF:{attributes}\ngone.m3u8\n#EXT-X-STREAM-INF:{attributes}\nmain.m3u8\n"
    assert_gets(serve({**given, "/entry.m3u8": entry.encode()}), tmp_path / "ours.mp4", source, path="/entry.m3u8")


def test_variables_are_put_in(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    given, source = muxed
    text = re.sub(rb"film-", b"{$stem}-", given["/main.m3u8"]).replace(
        b"#EXT-X-VERSION:7", b'#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME="stem",VALUE="film"'
    )
    assert_gets(serve({**given, "/main.m3u8": text}), tmp_path / "ours.mp4", source)


@pytest.mark.parametrize(("asked", "answered"), [(1, 0), (1, 2), (2, 0), (2, 4)])
def test_a_segment_of_another_place_is_no_film(
    asked: int, answered: int, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    """The origin answers for one segment with another: what lies there belongs elsewhere, and the film goes on behind it."""
    given = files(media("ts-large"))
    text = given["/main.m3u8"].decode()
    head, *segments = re.split(r"(?=#EXTINF)", text)
    names = re.findall(r"^[^#\n]+\.ts$", text, re.MULTILINE)
    short = {f"/{name}": given[f"/{name}"] for name in names[:6]}
    playlist = head + "".join(segments[:6]) + "#EXT-X-ENDLIST\n"
    swapped = {**short, f"/{names[asked]}": short[f"/{names[answered]}"], "/main.m3u8": playlist.encode()}
    done = get(serve(swapped).url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode == 4
    assert not (tmp_path / "ours.mp4").exists()


def test_live_is_refused_with_a_sentence(muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:
    given, _ = muxed
    text = given["/main.m3u8"].replace(b"#EXT-X-ENDLIST", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD\n", b"")
    done = get(serve({**given, "/main.m3u8": text}).url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode == 3
    assert "no end" in done.stderr.decode()


def test_an_encrypted_segment_of_several_fragments_tells_no_end_before_its_own(
    media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    """Its head is shorter once it is clear, which makes it no whole segment."""
    given, key, iv = files(media("fmp4-flac")), bytes(range(16)), bytes(range(16, 32))
    sealed = {path: sealed_by(key, iv, data) if path.endswith(".m4s") else data for path, data in given.items()}
    tag = f'#EXT-X-KEY:METHOD=AES-128,URI="a.key",IV=0x{iv.hex()}'
    origin = serve(edited({**sealed, "/a.key": key}, "/main.m3u8", "(?<=\n)#EXTINF", f"{tag}\n#EXTINF"))
    assert_gets(origin, tmp_path / "ours.mp4", media_reader.concatenate(media("fmp4-flac") / "main.m3u8", tmp_path / "source.mp4"))


def sealed_by(key: bytes, iv: bytes, clear: bytes) -> bytes:
    """Encrypt with AES-128 in CBC, padded as HLS wants it."""
    padder, cipher = PKCS7(128).padder(), Cipher(AES(key), CBC(iv)).encryptor()
    return cipher.update(padder.update(clear) + padder.finalize()) + cipher.finalize()
