"""Plain MP4s that are made in one pass, of every kind of source: the packets and the times of the fragmented MP4, and no fragments."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule

Media = Callable[[str], Path]
OUTPUTS = [
    *(
        "ts-muxed",
        "ts-separate-audio",
        "ts-byterange",
        "ts-video-only",
        "ts-audio-only",
        "ts-hevc",
        "ts-mp3",
        "ts-eac3",
        "ts-mp2",
        "ts-wrap",
    ),
    *("fmp4-muxed", "fmp4-edit-lists", "fmp4-av1", "fmp4-vp9", "fmp4-opus", "fmp4-flac", "packed-aac", "packed-ac3", "aes-ts"),
    *("join-ts", "join-ts-size", "join-ts-b-frames", "join-ts-audio-codec", "join-ts-audio-late", "join-ts-no-audio-first"),
    *("join-ts-no-audio-second", "join-ts-backwards", "join-ts-three", "join-ts-unmarked-jump", "join-ts-fmp4", "join-fmp4"),
]
"""One set for each codec, and for each way in which periods differ. `test_packets.py` and `test_periods.py` have the other packagings."""


def assert_same_output(plain: Path, fragmented: Path) -> None:
    """Check that a plain MP4 has every packet of a fragmented one at the same time, and nothing but `ftyp`, `moov` and `mdat`."""
    assert media_reader.is_whole(plain)
    assert not media_reader.is_fragmented(plain)
    assert media_reader.is_fragmented(fragmented)
    assert media_reader.hashes(plain) == media_reader.hashes(fragmented)
    times, others = media_reader.presentation_times(plain), media_reader.presentation_times(fragmented)
    assert times.keys() == others.keys()
    for medium, expected in others.items():
        assert times[medium] == pytest.approx(expected, abs=0.0001)
    assert media_reader.codecs(plain) == media_reader.codecs(fragmented)
    assert media_reader.decode_times_increase(plain)


def assert_seekable(file: Path) -> None:
    """Check that a reader finds a key frame at or before each fifth of a file."""
    with av.open(file) as container:
        stream = container.streams.video[0] if container.streams.video else container.streams.audio[0]
        assert container.duration
        for fifth in range(5):
            target = container.duration * fifth // 5
            container.seek(target)
            packet = next(container.demux(stream))
            assert packet.pts is not None
            assert packet.is_keyframe
            assert float(packet.pts * (stream.time_base or 0)) * av.time_base <= target + av.time_base


def save_both(origin: Origin, folder: Path, *options: str) -> tuple[Path, Path]:
    """Save a source in both layouts."""
    plain, fragmented = folder / "plain.mp4", folder / "fragmented.mp4"
    for layout, path in (("plain", plain), ("fragmented", fragmented)):
        result = get(origin.url("/main.m3u8"), path, "--layout", layout, *options)
        assert result.returncode == 0, result.stderr.decode()
    return plain, fragmented


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_packets_and_times_are_those_of_the_fragmented_output(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media(name))
    if "byterange" not in name:
        origin.rules["*"] = Rule(ignore_range=True)  # so that no source has a plain MP4 that exists as a map
    plain, fragmented = save_both(origin, tmp_path)
    assert_same_output(plain, fragmented)
    assert_seekable(plain)


def test_a_file_is_plain_by_default_and_a_stream_is_fragmented(media: Media, serve: Serve, tmp_path: Path, temp: Path) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert get(url, tmp_path / "plain.mp4").returncode == 0
    for options, expected in (((), True), (("--layout", "plain"), False)):
        result = get(url, Path("-"), *options)
        assert result.returncode == 0, result.stderr.decode()
        (tmp_path / "streamed.mp4").write_bytes(result.stdout)
        assert media_reader.is_fragmented(tmp_path / "streamed.mp4") is expected
    assert (tmp_path / "streamed.mp4").read_bytes() == (tmp_path / "plain.mp4").read_bytes()
    assert not list(temp.iterdir())


def test_the_limit_of_the_temporary_folder_is_no_limit_of_a_file(
    media: Media, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCODER_TMP_BYTES", "200000")
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert get(url, tmp_path / "plain.mp4").returncode == 0
    refused = get(url, Path("-"), "--layout", "plain")
    assert (refused.returncode, refused.stdout) == (3, b"")
    assert "layout=fragmented sends it while it is made" in refused.stderr.decode()
