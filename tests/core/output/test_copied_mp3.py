"""MP3 that is copied: its pauses become silent frames."""

import subprocess
from pathlib import Path

import pytest
from generated_video import ffmpeg_path
from peers.av_sync import peaks
from peers.remuxed_periods import JOINABLE

from transcoder.core.media.streams import Medium
from transcoder.core.output.copied_mp3 import CopiedMp3
from transcoder.errors import TranscodeError

TONE = "sine=f=440:r=48000:d=12"


def source(folder: Path, *pauses: tuple[float, float], rate: int = 48_000, channels: int = 2) -> Path:
    """Write a transport stream with MP3 that pauses between so many seconds."""
    dropped = "+".join(f"between(pts*tb,{start},{end})" for start, end in pauses) or "0"
    encoding = ["-ar", str(rate), "-ac", str(channels), "-c:a", "libmp3lame", "-bsf:a", f"noise=drop='{dropped}'"]
    path = folder / "source.ts"
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", TONE, *encoding, "-f", "mpegts", path], check=True)
    return path


def remuxed(path: Path) -> bytes:
    return subprocess.run(
        [ffmpeg_path(), "-v", "error", "-copyts", "-f", "mpegts", "-i", path, *JOINABLE], capture_output=True, check=True
    ).stdout


def copied(path: Path, *, piece: int = 4096) -> tuple[bytes, CopiedMp3]:
    reader, data, output = CopiedMp3(), remuxed(path), b""
    for at in range(0, len(data), piece):
        output += reader.feed(data[at : at + piece])
    reader.end()
    return output, reader


@pytest.mark.parametrize("piece", [7, 1000, 1_000_000])
def test_without_a_pause_every_frame_passes_as_it_is(piece: int, tmp_path: Path) -> None:
    path = source(tmp_path)
    bare = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", path, "-c", "copy", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "pipe:1"],
        capture_output=True,
        check=True,
    ).stdout
    output, reader = copied(path, piece=piece)
    assert output == bare
    assert reader.written.samples[Medium.AUDIO] == pytest.approx(12 / 0.024, abs=3)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (22_050, 2)])
@pytest.mark.parametrize("pauses", [((4, 6),), ((1, 1.5), (3, 3.3), (5, 9))])
def test_pauses_are_silent_and_nothing_after_them_moves(
    pauses: tuple[tuple[float, float], ...], rate: int, channels: int, tmp_path: Path
) -> None:
    output, _ = copied(source(tmp_path, *pauses, rate=rate, channels=channels))
    (tmp_path / "output.mp3").write_bytes(output)
    decoded = peaks(tmp_path / "output.mp3")
    assert decoded[-1][0] == pytest.approx(12.0, abs=0.1)
    for start, end in pauses:
        quiet = [peak for time, peak in decoded if start + 0.12 < time < end - 0.12]
        # The first frames after a pause may need data from those that are missing.
        loud = [peak for time, peak in decoded if start - 0.4 < time < start - 0.1 or end + 0.2 < time < end + 0.4]
        assert max(quiet, default=0.0) < 0.01
        assert min(loud) > 0.05


def test_output_that_ends_inside_a_frame_is_refused(tmp_path: Path) -> None:
    reader, data = CopiedMp3(), remuxed(source(tmp_path))
    reader.feed(data[: data.rindex(b"mdat") + 100])
    with pytest.raises(TranscodeError):
        reader.end()
