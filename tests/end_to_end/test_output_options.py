"""What a person may choose: a part, the sound or the picture alone, another codec, a size."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import make_media
import pytest
from conftest import Serve
from generated_video import run_ffmpeg
from peers import av_sync, media_reader
from peers.get_command import get

Media = Callable[[str], Path]

PACKED = [
    "ts-muxed",
    "ts-separate-audio",
    "ts-hevc",
    "ts-wrap",
    "fmp4-muxed",
    "fmp4-separate-audio",
    "fmp4-edit-lists",
    "fmp4-opus",
    "packed-aac",
]


def made(url: str, into: Path, *words: str) -> Path:
    done = get(url, into, *words)
    assert done.returncode == 0, done.stderr.decode()
    return into


def times(file: Path, kind: str) -> list[float]:
    """Return the presentation times of one medium, in order."""
    with av.open(file) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return sorted(
            float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.pts is not None and packet.time_base
        )


def codecs(file: Path) -> list[str]:
    with av.open(file) as container:
        return [stream.codec_context.name for stream in container.streams]


@pytest.mark.parametrize("name", PACKED)
def test_a_part_begins_with_the_key_picture_before_it(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media(name)).url("/main.m3u8"), tmp_path / "ours.mp4", "--start", "2.5", "--end", "4.2")
    pictures, sounds = times(ours, "video"), times(ours, "audio")
    # Key pictures come each second: it begins at 2, and ends when no picture is left that begins before 4.2
    assert pictures[0] == pytest.approx(0, abs=0.025)
    assert pictures[-1] == pytest.approx(2.2 - 0.04, abs=0.05)
    assert sounds[0] == pytest.approx(0, abs=0.025)
    assert sounds[-1] == pytest.approx(2.2 - 0.02, abs=0.05)
    assert media_reader.header_duration(ours) == pytest.approx(2.2, abs=0.1)
    assert media_reader.decoded(ours)["video"] == len(pictures)
    assert media_reader.is_whole(ours)
    assert media_reader.is_steady(ours)
    late = av_sync.sound_late(ours)[1:]  # the first beep may have lost its begin
    assert late == pytest.approx([0] * len(late), abs=0.012)


@pytest.mark.parametrize("name", PACKED)
def test_an_exact_part_begins_where_it_should(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media(name)).url("/main.m3u8"), tmp_path / "ours.mp4", "--start", "2.5", "--end", "4.2", "--exact")
    assert media_reader.length(ours) == pytest.approx(1.7, abs=0.05)
    assert media_reader.header_duration(ours) == pytest.approx(1.7, abs=0.05)
    assert codecs(ours) == ["h264", "aac"]
    assert media_reader.decoded(ours)["video"] == pytest.approx(42, abs=1)
    # The flash of the full second lies half a second after the begin, but where the picture begins late, and its playlist with it.
    begin = 0.52 if name in {"ts-separate-audio", "fmp4-muxed"} else 0.0
    assert av_sync.flashes(ours)[0] == pytest.approx((0.5 - begin) % 1, abs=0.045)
    assert av_sync.sound_late(ours) == pytest.approx([0] * len(av_sync.sound_late(ours)), abs=0.012)


@pytest.mark.parametrize(("name", "key"), [("join-ts", 3.0), ("join-fmp4", 3.0)])
def test_a_part_may_reach_over_periods(name: str, key: float, media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media(name)).url("/main.m3u8"), tmp_path / "ours.mp4", "--start", str(key), "--end", "5.5")
    assert media_reader.length(ours) == pytest.approx(5.5 - key, abs=0.05)
    assert media_reader.header_duration(ours) == pytest.approx(5.5 - key, abs=0.11)
    assert media_reader.is_steady(ours)


def test_a_part_of_a_long_film_costs_little(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-long")
    origin = serve(folder)
    whole = sum(file.stat().st_size for file in folder.glob("*.ts"))
    ours = made(origin.url("/main.m3u8"), tmp_path / "ours.mp4", "--start", "5:03", "--end", "0:05:08")
    assert media_reader.length(ours) == pytest.approx(6.0, abs=0.05)  # from the key picture at 302 s
    assert media_reader.header_duration(ours) == pytest.approx(6.0, abs=0.05)
    assert origin.sent < 0.05 * whole
    assert {request.path for request in origin.requests if request.path.startswith("/picture-")} == {"/picture-75.ts", "/picture-76.ts"}


def test_the_end_alone_is_cut(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    ours = made(origin.url("/main.m3u8"), tmp_path / "ours.mp4", "--end", "1.5")
    assert media_reader.length(ours) == pytest.approx(1.5, abs=0.05)
    assert [request.path for request in origin.requests if request.path.endswith(".ts")] == ["/film-0.ts"]


def test_the_begin_alone_is_cut(media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "ours.mp4", "--start", "4.9")
    assert media_reader.length(ours) == pytest.approx(2.0, abs=0.05)
    assert media_reader.header_duration(ours) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--start", "5", "--end", "5"], 2, "start: 5 s is not before the end at 5 s"),
        (["--start", "6"], 2, "start: 6 s is beyond the end of the video, which is 6.000 s long"),
        (["--start", "soon"], 2, "start: 'soon' is not a time"),
        (["--format", "m4a", "--mute"], 2, "m4a has no video"),
        (["--fit", "1MB", "--exact", "--start", "1"], 2, "cannot be estimated in advance"),
    ],
)
def test_a_choice_that_cannot_be_met_has_its_sentence(
    words: list[str], status: int, sentence: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    done = get(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "ours.mp4", *words)
    assert (done.returncode, sentence in done.stderr.decode()) == (status, True), done.stderr


@pytest.mark.parametrize(
    ("name", "choice", "codec", "seconds"),
    [
        pytest.param("ts-muxed", "m4a", "aac", 5.7, id="AAC is copied"),
        pytest.param("fmp4-separate-audio", "m4a", "aac", 5.4, id="of a rendition of its own"),
        pytest.param("packed-aac", "m4a", "aac", 5.7, id="packed AAC"),
        pytest.param("fmp4-opus", "m4a", "aac", 5.7, id="Opus is encoded"),
        pytest.param("ts-separate-audio", "mp3", "mp3float", 6.0, id="MP3"),
        pytest.param("ts-mp3", "mp3", "mp3float", 5.7, id="MP3 is copied"),
    ],
)
def test_sound_alone(name: str, choice: str, codec: str, seconds: float, serve: Serve, tmp_path: Path) -> None:
    origin = serve(make_media.media(name))
    ours = made(origin.url("/main.m3u8"), tmp_path / f"ours.{choice}", "--format", choice)
    assert codecs(ours) == [codec]
    assert not [request.path for request in origin.requests if request.path.startswith(("/large", "/small"))]
    with av.open(ours) as container:
        heard = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert heard == pytest.approx(seconds, abs=0.1)
    if choice == "m4a":
        assert media_reader.is_whole(ours)
        assert media_reader.header_duration(ours) == pytest.approx(seconds, abs=0.1)


def test_copied_sound_is_the_sources(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-muxed")
    ours = made(serve(folder).url("/main.m3u8"), tmp_path / "ours.m4a", "--format", "m4a")
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source")
    assert media_reader.hashes(ours)["audio"] == media_reader.source_hashes(source)["audio"]


def test_a_part_as_mp3(media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media("join-ts")).url("/main.m3u8"), tmp_path / "ours.mp3", "--format", "mp3", "--start", "3", "--end", "6")
    with av.open(ours) as container:
        assert sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)) == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize("name", ["ts-muxed", "fmp4-separate-audio"])
def test_picture_alone(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    ours = made(origin.url("/main.m3u8"), tmp_path / "ours.mp4", "--mute")
    assert media_reader.packets(ours) == {"video": 150}
    assert not [request.path for request in origin.requests if "sound" in request.path]


@pytest.mark.parametrize("name", ["ts-hevc", "fmp4-av1"])
def test_another_picture_is_encoded_as_h264(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(media(name)).url("/main.m3u8"), tmp_path / "ours.mp4", "--video", "h264")
    assert codecs(ours) == ["h264", "aac"]
    assert media_reader.decoded(ours)["video"] == 150
    assert media_reader.header_duration(ours) == pytest.approx(6.0, abs=0.05)
    assert av_sync.sound_late(ours) == pytest.approx([0] * 5, abs=0.002)


def test_h264_is_copied_all_the_same(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-muxed")
    ours = made(serve(folder).url("/main.m3u8"), tmp_path / "ours.mp4", "--video", "h264")
    assert media_reader.hashes(ours) == media_reader.source_hashes(media_reader.concatenate(folder / "main.m3u8", tmp_path / "source"))


@pytest.fixture(scope="module")
def mp4_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give an ordinary MP4 with its index in front, and one with the index at its end."""
    folder = tmp_path_factory.mktemp("mp4")
    playlist = make_media.media("ts-muxed") / "main.m3u8"
    run_ffmpeg("-i", playlist, "-c", "copy", "-movflags", "+faststart", folder / "front.mp4")
    run_ffmpeg("-i", playlist, "-c", "copy", folder / "back.mp4")
    return {f"/{file.name}": file.read_bytes() for file in folder.iterdir()}


def test_a_part_of_an_mp4_file(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(mp4_files).url("/front.mp4"), tmp_path / "ours.mp4", "--start", "2.5", "--end", "4")
    assert media_reader.length(ours) == pytest.approx(2.0, abs=0.05)
    assert media_reader.header_duration(ours) == pytest.approx(2.0, abs=0.05)
    assert media_reader.is_whole(ours)
    late = av_sync.sound_late(ours)[1:]
    assert late == pytest.approx([0] * len(late), abs=0.012)


@pytest.mark.parametrize(("choice", "codec"), [("m4a", "aac"), ("mp3", "mp3float")])
def test_the_sound_of_an_mp4_file(choice: str, codec: str, mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(mp4_files).url("/front.mp4"), tmp_path / f"ours.{choice}", "--format", choice)
    assert codecs(ours) == [codec]
    with av.open(ours) as container:
        assert sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)) == pytest.approx(5.75, abs=0.1)


def test_the_picture_of_an_mp4_file(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    ours = made(serve(mp4_files).url("/front.mp4"), tmp_path / "ours.mp4", "--mute")
    (tmp_path / "source.mp4").write_bytes(mp4_files["/front.mp4"])
    assert media_reader.hashes(ours) == {"video": media_reader.hashes(tmp_path / "source.mp4")["video"]}


def test_an_mp4_file_with_its_index_at_the_end_is_refused(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    done = get(serve(mp4_files).url("/back.mp4"), tmp_path / "ours.mp4", "--mute")
    assert (done.returncode, "is at its end" in done.stderr.decode()) == (3, True)


def test_half_an_mp4_file_is_no_film(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    whole = mp4_files["/front.mp4"]
    done = get(serve({"/half.mp4": whole[: len(whole) * 2 // 3]}).url("/half.mp4"), tmp_path / "ours.mp4", "--mute")
    assert done.returncode == 4
    assert not (tmp_path / "ours.mp4").exists()


@pytest.mark.parametrize(
    ("fit", "size"),
    [
        pytest.param("2MB", (480, 848), id="the best fits"),
        pytest.param("0.93MB", (480, 848), id="just so with 3 percent"),
        pytest.param("0.92MB", (320, 180), id="not quite: the next one that fits"),
    ],
)
def test_fit_takes_the_best_that_is_small_enough(fit: str, size: tuple[int, int], media: Media, serve: Serve, tmp_path: Path) -> None:
    # 6 s of 1.2 Mbit/s are 0.9 MB, those of 1.5 Mbit/s 1.125 MB, those of 0.3 Mbit/s 0.225 MB.
    ours = made(serve(media("ts-three-sizes")).url("/main.m3u8"), tmp_path / "ours.mp4", "--fit", fit)
    assert media_reader.size(ours) == size


def test_what_cannot_fit_is_told_with_the_least_that_can(media: Media, serve: Serve, tmp_path: Path) -> None:
    done: subprocess.CompletedProcess[bytes] = get(
        serve(media("ts-three-sizes")).url("/main.m3u8"), tmp_path / "ours.mp4", "--fit", "100kB"
    )
    assert done.returncode == 3
    assert "the smallest available version has about 0.3 MB" in done.stderr.decode()
