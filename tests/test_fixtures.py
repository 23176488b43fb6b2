"""The properties of the generated media that other tests rely on."""

from collections.abc import Callable
from pathlib import Path

import make_media
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from peers import av_sync, media_reader

Media = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "playlists", "audio_delay"),
    [
        pytest.param("ts-muxed", ["main"], 0.279, id="MPEG-TS"),
        pytest.param("ts-separate-audio", ["large", "audio"], -0.541, id="separate audio that starts early"),
        pytest.param("fmp4-separate-audio", ["large", "audio"], 0.579, id="fragmented MP4 with late audio"),
        pytest.param("fmp4-byterange", ["main"], 0.279, id="byte ranges"),
    ],
)
def test_flashes_and_beeps_coincide_although_audio_and_video_start_apart(
    name: str, playlists: list[str], audio_delay: float, media: Media, tmp_path: Path
) -> None:
    files = [media_reader.concatenate(media(name) / f"{playlist}.m3u8", tmp_path / playlist) for playlist in playlists]
    assert len(av_sync.beep_delays(*files)) == 5
    assert av_sync.beep_delays(*files) == pytest.approx([0] * 5, abs=0.002)
    assert media_reader.audio_delay(*files) == pytest.approx(audio_delay, abs=0.001)


def test_each_period_has_its_own_timeline(media: Media, tmp_path: Path) -> None:
    playlist = media("join-ts-audio-late") / "main.m3u8"
    periods = [media_reader.concatenate(playlist, tmp_path / str(each.start), segments=each) for each in (slice(2), slice(2, 4))]
    assert [media_reader.audio_delay(period) for period in periods] == pytest.approx([0.079, 0.479], abs=0.001)
    assert av_sync.flashes(periods[1])[0] - av_sync.flashes(periods[0])[0] == pytest.approx(39_990, abs=0.001)
    assert playlist.read_text(encoding="utf-8").count("#EXT-X-DISCONTINUITY\n") == 1


def test_packed_audio_has_its_timestamp(media: Media) -> None:
    data = (media("packed-aac") / "audio-0.aac").read_bytes()
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    at = data.index(owner) + len(owner)
    assert int.from_bytes(data[at : at + 8]) == round((10 + 0.3 - 1024 / 48000) * 90_000)
    assert int.from_bytes(data[at + 8 : at + 10]) & 0xFFF6 == 0xFFF0


def test_encrypted_segments_decrypt_to_the_clear_ones(media: Media) -> None:
    folder = media("aes-ts")
    encrypted, key = (folder / "encrypted-1.ts").read_bytes(), (folder / "b.key").read_bytes()
    decryptor = Cipher(algorithms.AES(key), modes.CBC((1).to_bytes(16))).decryptor()
    clear = decryptor.update(encrypted) + decryptor.finalize()
    assert clear[: -clear[-1]] == (folder / "clear-1.ts").read_bytes()


def test_a_set_is_made_only_once(media: Media) -> None:
    first = (media("ts-muxed") / "main.m3u8").stat()
    assert (media("ts-muxed") / "main.m3u8").stat().st_ino == first.st_ino
    assert set(make_media.DEFAULT_SETS) < set(make_media.SETS)
