"""MP3 that is copied: its pauses become silent frames."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from generated_video import ffmpeg_path
from peers.av_sync import peaks
from peers.encoded_pieces import encoded
from peers.mp3_fragments import FRAME_BYTES, FRAME_TICKS, HEADER, HEADER_WITH_CRC, MOOV, SECOND, SILENT, fragment, frame
from peers.remuxed_periods import JOINABLE

from transcoder.core.media.mp4.boxes import box
from transcoder.core.media.streams import Medium
from transcoder.core.output.copied_mp3 import CopiedMp3
from transcoder.core.output.timeline import MAX_SILENCE_SECONDS
from transcoder.errors import TranscodeError

TONE = "sine=f=440:r=48000:d=12"


def source(folder: Path, *pauses: tuple[float, float], rate: int = 48_000, channels: int = 2) -> Path:
    """Write a transport stream with MP3 that pauses between so many seconds."""
    dropped = "+".join(f"between(pts*tb,{start},{end})" for start, end in pauses) or "0"
    encoding = ["-ar", str(rate), "-ac", str(channels), "-c:a", "libmp3lame", "-bsf:a", f"noise=drop='{dropped}'"]
    path = folder / "source.ts"
    path.write_bytes(encoded("-f", "lavfi", "-i", TONE, *encoding, "-f", "mpegts"))
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


def taken(reader: CopiedMp3, fragments: Iterable[bytes]) -> list[bytes]:
    """Return what comes out of each fragment."""
    assert reader.feed(MOOV) == b""
    found = [reader.feed(each) for each in fragments]
    reader.end()
    return found


@pytest.mark.parametrize(
    ("frames", "silent"),
    [
        pytest.param(2.4, [0, 2, 3, 2, 3, 2], id="what is left of one pause is made up for in the next"),
        pytest.param(2.6, [0, 3, 2, 3, 2, 3], id="what is too much in one is missing in the next"),
        pytest.param(1.6, [0, 2, 1, 2, 1, 2], id="a short pause"),
        pytest.param(1.4, [0] * 6, id="no pause"),
        pytest.param(0.0, [0] * 6, id="frame after frame"),
    ],
)
@pytest.mark.parametrize("header", [HEADER, HEADER_WITH_CRC])
def test_many_pauses_are_silent_for_as_long_as_all_of_them_last(frames: float, silent: list[int], header: bytes) -> None:
    pieces = [frame(number, header) for number in range(6)]
    reader = CopiedMp3()
    found = taken(reader, (fragment(round(number * (1 + frames) * FRAME_TICKS), each) for number, each in enumerate(pieces)))
    assert reader.written.samples == {Medium.AUDIO: 6}
    assert found == [count * SILENT + each for count, each in zip(silent, pieces, strict=True)]


@pytest.mark.parametrize(("goes_on_from", "silent"), [(None, 0), (9.0, 42), (9.99, 0), (10.0, 0), (2**33 / 90_000 + 9.0, 42)])
def test_a_period_that_goes_on_begins_with_the_pause_before_it(goes_on_from: float | None, silent: int) -> None:
    assert taken(CopiedMp3(goes_on_from=goes_on_from), [fragment(10 * SECOND, frame(0))]) == [silent * SILENT + frame(0)]


def test_a_pause_has_a_limit() -> None:
    for seconds in (MAX_SILENCE_SECONDS, MAX_SILENCE_SECONDS + 1):
        reader, later = CopiedMp3(goes_on_from=0.0), [fragment(round(seconds * SECOND), frame(0))]
        if seconds == MAX_SILENCE_SECONDS:
            assert len(taken(reader, later)[0]) == FRAME_BYTES * (round(seconds / 0.024) + 1)
        else:
            with pytest.raises(TranscodeError, match="too long to be filled"):
                taken(reader, later)


@pytest.mark.parametrize(
    ("data", "media", "words"),
    [
        pytest.param(frame(0), frame(0)[1:], "do not lie in its media", id="a byte too few"),
        pytest.param(frame(0), frame(0) + b"\0", "do not lie in its media", id="a byte too many"),
        pytest.param(bytes(FRAME_BYTES), None, "without a header", id="no header"),
        pytest.param(HEADER, None, "without a header", id="not even as many bytes"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes, media: bytes | None, words: str) -> None:
    with pytest.raises(TranscodeError, match=words):
        taken(CopiedMp3(), [fragment(0, data, media=media)])


@pytest.mark.parametrize("piece", [1, 500, 10_000])
def test_frames_of_any_length_pass_in_any_pieces_whatever_boxes_are_between(piece: int) -> None:
    shorter = b"\xff\xfb\xa4\0" + bytes(476)  # 160 kbit/s
    data = fragment(0, frame(0), shorter) + box(b"free", bytes(9)) + fragment(2 * FRAME_TICKS, shorter, frame(1)) + box(b"mfra")
    found = taken(CopiedMp3(), [data[at : at + piece] for at in range(0, len(data), piece)])
    assert b"".join(found) == frame(0) + 2 * shorter + frame(1)


@pytest.mark.parametrize(("lost", "words"), [(1, "broken"), (FRAME_BYTES, "broken"), (FRAME_BYTES + 8, "before its media")])
def test_output_that_ends_early_is_refused(lost: int, words: str) -> None:
    with pytest.raises(TranscodeError, match=f"^ffmpeg's output .*{words}"):
        taken(CopiedMp3(), [fragment(0, frame(0)), fragment(FRAME_TICKS, frame(1))[:-lost]])
