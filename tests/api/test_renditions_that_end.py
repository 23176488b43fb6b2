"""A film with separate audio of which one rendition ends at a break before the other one: the rest has silence, or is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.remuxed_periods import STEREO_SILENCE, assert_contiguous, packets
from peers.source_files import edited, files_in

import transcoder
from transcoder.errors import UnsupportedSourceError

Media = Callable[[str], Path]
LAST_PERIOD = r"#EXT-X-DISCONTINUITY\n(.*\n)*(?=#EXT-X-ENDLIST)"


def saved(files: dict[str, bytes], serve: Serve, output: Path) -> bytes:
    transcoder.save_sync(serve(files).url("/main.m3u8"), output)
    assert media_reader.is_whole(output)
    return output.read_bytes()


@pytest.mark.parametrize("name", ["join-ts-separate-audio", "join-fmp4-separate-audio"])
def test_audio_that_ends_before_the_last_period_is_followed_by_silence(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_in(media(name))
    whole = saved(files, serve, tmp_path / "whole.mp4")
    output = saved(edited(files, "/audio.m3u8", LAST_PERIOD, ""), serve, tmp_path / "output.mp4")
    assert [packet.data for packet in packets(output, "video")] == [packet.data for packet in packets(whole, "video")]
    audio, all_audio = packets(output, "audio"), packets(whole, "audio")
    first_period = [packet.data for packet in audio if packet.pts < 3.8]
    assert first_period == [packet.data for packet in all_audio if packet.pts < 3.8]
    assert {packet.data for packet in audio if packet.pts > 4.2} & {packet.data for packet in all_audio} <= {STEREO_SILENCE}
    assert_contiguous(audio)
    assert float(audio[-1].pts + audio[-1].duration) == pytest.approx(8.0, abs=0.2)


def test_a_film_is_not_continued_without_its_video(media: Media, serve: Serve, tmp_path: Path) -> None:
    files = edited(files_in(media("join-ts-separate-audio")), "/video.m3u8", LAST_PERIOD, "")
    with pytest.raises(UnsupportedSourceError, match="A part of the source has no video"):
        transcoder.save_sync(serve(files).url("/main.m3u8"), tmp_path / "output.mp4")
    assert list(tmp_path.iterdir()) == []
    transcoder.save_sync(serve(files).url("/main.m3u8"), tmp_path / "output.m4a", format="m4a")
    assert media_reader.duration(tmp_path / "output.m4a") == pytest.approx(7.5, abs=0.2)
