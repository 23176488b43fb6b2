"""How much of the end of a last segment is fetched: more where the usual part has no timestamp of a stream, as at a high bit rate."""

from pathlib import Path

import pytest
from conftest import Serve
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from peers.application import ask
from peers.origin import Origin

from transcoder.core.media.mpegts.packets import PACKET_BYTES
from transcoder.core.media.presentation_ends import END_BYTES, presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium
from transcoder.settings import Settings

VIDEO = GeneratedVideo(seconds=3.0, audio_end=2.7, size="1280x720", b_frames=0, timestamp_offset=0.0)
UNIT_START_OF_AUDIO = b"\x41\x01"
"""The flag and the PID in the header of a transport packet."""
NOISE = ",noise=alls=100:allf=t"


def make_source(folder: Path, bits_per_second: int) -> Path:
    """Write a source of two segments; return the last one, which ends with pictures: audio comes some frames at a time, before them."""
    rate = str(bits_per_second)
    limits = ("-crf", "1", "-maxrate", rate, "-bufsize", str(bits_per_second // 10))
    hls = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename", folder / "%d.ts")
    run_ffmpeg(*encoder_arguments(VIDEO, extra_filter=NOISE), *limits, *hls, folder / "main.m3u8")
    last = folder / "1.ts"
    segment = last.read_bytes()
    packets = [segment[at : at + PACKET_BYTES] for at in range(0, len(segment), PACKET_BYTES)]
    while packets[-1][1:3] != UNIT_START_OF_AUDIO:
        assert packets[-1][2] == UNIT_START_OF_AUDIO[1]
        packets.pop()
    last.write_bytes(b"".join(packets[:-1]))
    return last


def ends_that_were_fetched(origin: Origin) -> list[str]:
    """Return the ranges of the last segment that were asked for beside all of it."""
    return [request.headers["range"] for request in origin.requests if request.path == "/1.ts" and "range" in request.headers]


@pytest.mark.parametrize(
    ("bits_per_second", "in_the_usual_end", "fetched"),
    [
        pytest.param(20_000_000, {Medium.VIDEO}, ["bytes=-262144", "bytes=-1048576"], id="20 Mbit/s"),
        pytest.param(2_000_000, set(Medium), ["bytes=-262144"], id="2 Mbit/s"),
    ],
)
def test_more_of_the_end_is_fetched_only_where_a_stream_has_no_timestamp_in_it(
    bits_per_second: int, in_the_usual_end: set[Medium], fetched: list[str], serve: Serve, tmp_path: Path
) -> None:
    last = make_source(tmp_path, bits_per_second).read_bytes()
    first = probe((tmp_path / "0.ts").read_bytes(), whole=True)
    assert first is not None
    assert presentation_ends(last[-END_BYTES:], first).keys() == in_the_usual_end
    origin = serve(tmp_path)
    answer = ask(f"/download?layout=fragmented&url={origin.url('/main.m3u8')}", settings=Settings(allow_private=True))
    assert ends_that_were_fetched(origin) == fetched
    ends = presentation_ends(last, first).values()
    starts = [stream.start for stream in first.streams if stream.start is not None]
    assert float(answer.headers["x-content-duration"]) == pytest.approx(max(ends) - min(starts), abs=0.001)
