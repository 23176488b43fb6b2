"""What the other tests believe about the media that they are given."""

from collections.abc import Callable
from pathlib import Path

import make_media
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from peers import av_sync, media_reader

Media = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "playlists", "late"),
    [
        pytest.param("ts-muxed", ["main"], 0.279, id="MPEG-TS"),
        pytest.param("ts-separate-audio", ["large", "sound"], -0.541, id="sound on its own and early"),
        pytest.param("fmp4-separate-audio", ["large", "sound"], 0.579, id="fragmented MP4 with sound late"),
        pytest.param("fmp4-byterange", ["main"], 0.279, id="byte ranges"),
    ],
)
def test_flash_and_beep_are_together_and_the_first_sound_is_not(
    name: str, playlists: list[str], late: float, media: Media, tmp_path: Path
) -> None:
    files = [media_reader.concatenate(media(name) / f"{playlist}.m3u8", tmp_path / playlist) for playlist in playlists]
    assert len(av_sync.sound_late(*files)) == 5
    assert av_sync.sound_late(*files) == pytest.approx([0] * 5, abs=0.002)
    assert media_reader.av_distance(*files) == pytest.approx(late, abs=0.001)


def test_each_period_has_its_own_time(media: Media, tmp_path: Path) -> None:
    playlist = media("join-ts-sound-late") / "main.m3u8"
    parts = [media_reader.concatenate(playlist, tmp_path / str(part.start), parts=part) for part in (slice(2), slice(2, 4))]
    assert [media_reader.av_distance(part) for part in parts] == pytest.approx([0.079, 0.479], abs=0.001)
    assert av_sync.flashes(parts[1])[0] - av_sync.flashes(parts[0])[0] == pytest.approx(39_990, abs=0.001)
    assert playlist.read_text(encoding="utf-8").count("#EXT-X-DISCONTINUITY\n") == 1


def test_packed_sound_tells_its_time(media: Media) -> None:
    data = (media("packed-aac") / "sound-0.aac").read_bytes()
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    at = data.index(owner) + len(owner)
    assert int.from_bytes(data[at : at + 8]) == round((10 + 0.3 - 1024 / 48000) * 90_000)
    assert int.from_bytes(data[at + 8 : at + 10]) & 0xFFF6 == 0xFFF0


def test_sealed_segments_are_the_clear_ones(media: Media) -> None:
    folder = media("aes-ts")
    sealed, key = (folder / "sealed-1.ts").read_bytes(), (folder / "b.key").read_bytes()
    decryptor = Cipher(algorithms.AES(key), modes.CBC((1).to_bytes(16))).decryptor()
    clear = decryptor.update(sealed) + decryptor.finalize()
    assert clear[: -clear[-1]] == (folder / "clear-1.ts").read_bytes()


def test_a_set_is_made_once(media: Media) -> None:
    first = (media("ts-muxed") / "main.m3u8").stat()
    assert (media("ts-muxed") / "main.m3u8").stat().st_ino == first.st_ino
    assert set(make_media.EVERYDAY) < set(make_media.SETS)
