"""Tracks of an MP4 with several sample descriptions, and samples that name one that does not exist."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from peers import media_reader
from peers.get_command import get
from peers.source_files import assert_exact, download, files_in

from transcoder.core.media.mp4.boxes import Box, box, boxes_of, full_box

Media = Callable[[str], Path]
Edit = Callable[[Box], bytes | None]
"""Returns what a box is replaced with; None if it stays."""
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}
_DESCRIPTION, _BASE_DATA_OFFSET = 0x02, 0x01


def with_edit(data: bytes, edit: Edit) -> bytes:
    return b"".join(_edited(each, edit) for each in boxes_of(data))


def _edited(each: Box, edit: Edit) -> bytes:
    replacement = edit(each)
    if replacement is not None:
        return replacement
    return box(each.type, *(_edited(child, edit) for child in each.children())) if each.type in _CONTAINERS else each.raw


def naming(segment: bytes, number: int) -> bytes:
    """Return a segment of one track whose fragments name a sample description."""

    def edit(each: Box) -> bytes | None:
        if each.type == b"tfhd":
            at = 16 if each.flags & _BASE_DATA_OFFSET else 8
            fields = each.content[4:at] + number.to_bytes(4) + each.content[at:]
            return full_box(b"tfhd", each.version, each.flags | _DESCRIPTION, fields)
        if each.type == b"trun":  # the media begin four bytes later
            return box(b"trun", each.content[:8], struct.pack(">i", each.sint(8, 4) + 4), each.content[12:])
        return None

    return with_edit(segment, edit)


def entries_of(init: bytes) -> list[bytes]:
    (moov,) = (each for each in boxes_of(init) if each.type == b"moov")
    return [entry.raw for entry in moov.require(b"trak", b"mdia", b"minf", b"stbl", b"stsd").children(skip=8)]


def with_entries(init: bytes, *entries: bytes) -> bytes:
    return with_edit(init, lambda each: full_box(b"stsd", 0, 0, len(entries).to_bytes(4), *entries) if each.type == b"stsd" else None)


def by_default(init: bytes, number: int) -> bytes:
    def edit(each: Box) -> bytes | None:
        return box(b"trex", each.content[:8], number.to_bytes(4), each.content[12:]) if each.type == b"trex" else None

    return with_edit(init, edit)


INIT = "/segment-init.mp4"
SEGMENTS = [f"/segment-{number}.m4s" for number in range(3)]


@pytest.fixture
def video(media: Media, tmp_path: Path) -> tuple[dict[str, bytes], Path]:
    """Return the files of a set of fragmented MP4 with one track, and one file with all of its segments."""
    source = media_reader.concatenate(media("fmp4-video-only") / "main.m3u8", tmp_path / "source.mp4")
    return files_in(media("fmp4-video-only")), source


Video = tuple[dict[str, bytes], Path]


def other_entry(media: Media) -> bytes:
    """Return the sample entry of a video of another size."""
    return entries_of((media("fmp4-separate-audio") / "large-init.mp4").read_bytes())[0]


def every(files: Mapping[str, bytes], number: int) -> dict[str, bytes]:
    return {path: naming(files[path], number) for path in SEGMENTS}


@pytest.mark.parametrize("order", ["first", "second", "both"])
def test_descriptions_that_are_the_same_may_all_be_used(order: str, video: Video, serve: Serve, tmp_path: Path) -> None:
    files, source = video
    (entry,) = entries_of(files[INIT])
    named = {"first": every(files, 1), "second": every(files, 2), "both": {SEGMENTS[1]: naming(files[SEGMENTS[1]], 2)}}
    origin = serve(files | {INIT: with_entries(files[INIT], entry, entry)} | named[order])
    assert_exact(origin, tmp_path / "output.mp4", source)


@pytest.mark.parametrize("named", [True, False])
def test_a_description_that_is_not_used_does_no_harm(*, named: bool, video: Video, media: Media, serve: Serve, tmp_path: Path) -> None:
    files, source = video
    init = with_entries(files[INIT], *entries_of(files[INIT]), other_entry(media))
    origin = serve(files | {INIT: init} | (every(files, 1) if named else {}))
    assert_exact(origin, tmp_path / "output.mp4", source)


def refusal(files: Mapping[str, bytes], serve: Serve, output: Path) -> tuple[int, str]:
    result = get(serve(files).url("/main.m3u8"), output)
    assert not output.exists()
    return result.returncode, result.stderr.decode()


@pytest.mark.parametrize("which", [SEGMENTS, SEGMENTS[1:2], SEGMENTS[2:]], ids=["all", "one", "the last"])
def test_another_description_than_the_first_is_refused(which: list[str], video: Video, media: Media, serve: Serve, tmp_path: Path) -> None:
    """A decoder that is set up by the first description shows something else."""
    files, _ = video
    init = with_entries(files[INIT], *entries_of(files[INIT]), other_entry(media))
    named = {path: body for path, body in every(files, 2).items() if path in which}
    status, words = refusal(files | {INIT: init} | named, serve, tmp_path / "output.mp4")
    assert (status, "different sample descriptions" in words) == (3, True)


@pytest.mark.parametrize("number", [0, 2, 7])
@pytest.mark.parametrize("which", [SEGMENTS, SEGMENTS[1:2]], ids=["all", "one"])
def test_a_description_that_does_not_exist_is_damage(which: list[str], number: int, video: Video, serve: Serve, tmp_path: Path) -> None:
    files, _ = video
    named = {path: body for path, body in every(files, number).items() if path in which}
    status, words = refusal(files | named, serve, tmp_path / "output.mp4")
    assert (status, f"sample description {number}, and the track has 1" in words) == (4, True)


@pytest.mark.parametrize("number", [0, 2])
def test_a_default_description_that_does_not_exist_is_damage(number: int, video: Video, serve: Serve, tmp_path: Path) -> None:
    files, source = video
    init = by_default(files[INIT], number)
    status, words = refusal(files | {INIT: init}, serve, tmp_path / "refused.mp4")
    assert (status, f"sample description {number}" in words) == (4, True)
    assert_exact(serve(files | {INIT: init} | every(files, 1)), tmp_path / "output.mp4", source)


@pytest.mark.parametrize(("number", "status"), [(0, 0), (1, 0), (2, 4)])
def test_a_plain_mp4_is_checked_too(number: int, status: int, serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "plain.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:d=2", "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart", file)

    def edit(each: Box) -> bytes | None:
        if each.type != b"stsc":
            return None
        entries = [each.content[at : at + 8] + number.to_bytes(4) for at in range(8, len(each.content), 12)]
        return box(b"stsc", each.content[:8], *entries)

    origin = serve({"/plain.mp4": with_edit(file.read_bytes(), edit)})
    result = get(origin.url("/plain.mp4"), tmp_path / "output.mp4", "--end", "1")
    assert result.returncode == status, result.stderr.decode()


def avc3(init: bytes, *, hollow: bool) -> bytes:
    """Return an initialization section whose sample entry lets parameter sets be in the samples; `hollow`: it has none itself."""
    (entry,) = (each for each in boxes_of(entries_of(init)[0]))
    children = list(entry.children(skip=78))
    kept = [
        full_sets.content[:5] + bytes([0xE0, 0]) if hollow else full_sets.content for full_sets in children if full_sets.type == b"avcC"
    ]
    others = [each.raw for each in children if each.type not in {b"avcC", b"btrt"}]
    return with_entries(init, box(b"avc3", entry.content[:78], box(b"avcC", kept[0]), *others))


def write_part(folder: Path, name: str, size: str) -> tuple[bytes, bytes]:
    """Return the initialization section and the media of a short video with its parameter sets in the samples, too."""
    file = folder / f"{name}.mp4"
    video = GeneratedVideo(seconds=2, size=size, audio_codec=None, b_frames=0)
    flags = "+frag_keyframe+empty_moov+default_base_moof+frag_discont"
    run_ffmpeg(*encoder_arguments(video), "-bsf:v", "dump_extra", "-movflags", flags, "-f", "mp4", file)
    body = file.read_bytes()
    first = body.index(b"moof") - 4
    return body[:first], body[first:]


@pytest.mark.parametrize(
    ("order", "hollow", "tag", "option"),
    [
        pytest.param("avc1, avc3", True, "#EXT-X-DISCONTINUITY\n", (), id="tagged"),
        pytest.param("avc3, avc1", True, "#EXT-X-DISCONTINUITY\n", (), id="tagged, back"),
        pytest.param("avc1, avc3", False, "", (), id="another EXT-X-MAP, and the sample entry has them, too"),
        pytest.param("avc3, avc1", True, "", (), id="another EXT-X-MAP, back"),
        pytest.param("avc1, avc3", True, "#EXT-X-DISCONTINUITY\n", ("--video", "h264"), id="video=h264"),
    ],
)
def test_where_parameter_sets_may_be_can_change(
    order: str, tag: str, option: tuple[str, ...], *, hollow: bool, serve: Serve, tmp_path: Path
) -> None:
    parts = [write_part(tmp_path, str(number), size) for number, size in enumerate(["320x180", "240x136"])]
    inits = [avc3(init, hollow=hollow) if name == "avc3" else init for (init, _), name in zip(parts, order.split(", "), strict=True)]
    entries = tag.join(f'#EXT-X-MAP:URI="i{number}.mp4"\n#EXTINF:2,\ns{number}.m4s\n' for number in range(2))
    files = {f"/i{number}.mp4": init for number, init in enumerate(inits)} | {f"/s{n}.m4s": media for n, (_, media) in enumerate(parts)}
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{entries}#EXT-X-ENDLIST\n".encode()
    output = download(serve(files | {"/main.m3u8": playlist}).url("/main.m3u8"), tmp_path / "output.mp4", *option)
    expected = [frame for number in range(2) for frame in media_reader.decoded_frames(tmp_path / f"{number}.mp4")]
    assert media_reader.decoded_frames(output) == expected
    assert media_reader.header_duration(output) == pytest.approx(4.0, abs=0.1)
