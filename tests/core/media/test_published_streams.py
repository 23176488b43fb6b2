"""Published HLS streams, with ffmpeg as the reference. `HLS_CORPORA` names their folder, which is outside this repository."""

import os
import re
from pathlib import Path

import pytest
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment

from transcoder.core.media.presentation_ends import presentation_ends

STREAMS = Path(os.environ.get("HLS_CORPORA", "no-corpora"), "streams")

pytestmark = pytest.mark.skipif(not STREAMS.is_dir(), reason="HLS_CORPORA does not name the folder of published streams")

MEDIA_PLAYLISTS = sorted(
    path
    for path in STREAMS.glob("**/*.m3u8")
    if not re.search(
        r"EXT-X-STREAM-INF|I-FRAMES-ONLY|\.vtt|METHOD=(AES|SAMPLE)|DISCONTINUITY\n|EXT-X-GAP|sample\.text", path.read_text(errors="replace")
    )
)


def read_range(folder: Path, name: str, byte_range: str, after: int) -> tuple[bytes, int]:
    data = (folder / name).read_bytes()
    if not byte_range:
        return data, 0
    length, _, offset = byte_range.partition("@")
    start = int(offset) if offset else after
    return data[start : start + int(length)], start + int(length)


def read(playlist: Path) -> tuple[bytes, list[bytes]]:
    init, segments, byte_range, after = b"", [], "", 0
    for line in playlist.read_text(encoding="utf-8-sig").splitlines():
        if match := re.match(r'#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="([\d@]+)")?', line):
            init, _ = read_range(playlist.parent, match[1], match[2] or "", 0)
        elif line.startswith("#EXT-X-BYTERANGE:"):
            byte_range = line.partition(":")[2].strip()
        elif line.strip() and not line.startswith("#"):
            segment, after = read_range(playlist.parent, line.strip(), byte_range, after)
            segments.append(segment)
            byte_range = ""
    return init, segments


@pytest.mark.parametrize("playlist", MEDIA_PLAYLISTS, ids=lambda path: str(path.relative_to(STREAMS)))
def test_samples_and_times_are_those_that_ffmpeg_copies(playlist: Path) -> None:
    try:
        init, segments = read(playlist)
    except FileNotFoundError:
        pytest.skip("a segment is missing: the stream was live")
    if b"enc" in re.findall(rb"stsd.{12}(enc)[va]", init, re.DOTALL):
        pytest.skip("encrypted")
    probe = probe_segment(segments[0], init=init)
    inspector, passed_on = inspect_segments(segments, init=init)
    expected = copy_with_ffmpeg(init + passed_on, probe.container.value)
    assert inspector.samples == {medium: stream.samples for medium, stream in expected.items()}
    ends = presentation_ends(segments[-1], probe, init=init)
    for medium, stream in expected.items():
        first = probe.main(medium)
        assert first
        if first.start is None:
            continue
        # ffmpeg gets packed audio without its tag, and therefore without its timestamp.
        shift = first.start if probe.skip else 0.0
        assert first.start == pytest.approx(stream.start + shift, abs=0.001)
        assert inspector.ends[medium] == pytest.approx(stream.end + shift, abs=0.045)
        assert ends[medium] == pytest.approx(inspector.ends[medium], abs=0.045)
