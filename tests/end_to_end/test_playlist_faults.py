"""A cut or thinned playlist, or one that names audio that does not exist, never becomes a shorter or a silent success."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule, html

Media = Callable[[str], Path]
ENDLIST = b"#EXT-X-ENDLIST\n"


def text_of(origin: Origin, path: str) -> bytes:
    assert isinstance(origin.files, Path)
    return (origin.files / path.lstrip("/")).read_bytes()


def without_entry(text: bytes, name: str) -> bytes:
    """Remove the URI `name` and the tags of its entry."""
    lines = text.decode().splitlines(keepends=True)
    uri = lines.index(f"{name}\n")
    first = max(index for index in range(uri) if lines[index].startswith("#EXTINF"))
    return "".join([*lines[:first], *lines[uri + 1 :]]).encode()


def cut_after(text: bytes, entries: int) -> bytes:
    """Cut a Media Playlist after so many whole entries."""
    parts = text.split(b"#EXTINF")
    return b"#EXTINF".join(parts[: entries + 1])


def counts(origin: Origin, into: Path) -> dict[str, int]:
    result = get(origin.url("/main.m3u8"), into)
    assert result.returncode == 0, result.stderr.decode()
    return media_reader.packet_counts(into)


def assert_refused(origin: Origin, folder: Path, words: str, *, code: int = 4) -> None:
    result = get(origin.url("/main.m3u8"), folder / "output.mp4")
    assert (result.returncode, words in result.stderr.decode()) == (code, True), result.stderr.decode()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("part", [0.3, 0.5, 0.8])
def test_a_playlist_that_is_always_cut_is_refused(part: float, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    text = text_of(origin, "/main.m3u8")
    cut = text[: int(len(text) * part)]
    assert not cut.endswith(b"\n")
    origin.rules["/main.m3u8"] = Rule(body=cut)
    assert_refused(origin, tmp_path, "incomplete" if b".ts\n" in cut else "no segments", code=4 if b".ts\n" in cut else 3)


# Each part of each playlist is tested with `/info` in the process of the test (tests/pipeline/test_playlists.py).
@pytest.mark.parametrize(
    ("path", "part"),
    [("/main.m3u8", 0.25), ("/main.m3u8", 0.9), ("/large.m3u8", 0.5), ("/large.m3u8", 0.75), ("/audio.m3u8", 0.25), ("/audio.m3u8", 0.9)],
)
def test_a_playlist_that_is_cut_once_is_asked_for_again(
    path: str, part: float, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    whole = media_reader.packet_counts(usual_output("ts-separate-audio"))
    text = text_of(origin, path)
    origin.rules[path] = [Rule(body=text[: int(len(text) * part)], times=1), Rule()]
    assert counts(origin, tmp_path / "again.mp4") == whole


def test_a_typed_playlist_without_an_end_is_believed_when_it_comes_three_times(
    media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-muxed"))
    whole = media_reader.packet_counts(usual_output("ts-muxed"))
    text = text_of(origin, "/main.m3u8")
    origin.rules["/main.m3u8"] = Rule(body=text.removesuffix(ENDLIST))
    assert counts(origin, tmp_path / "open.mp4") == whole
    assert len(origin.requests_of("/main.m3u8")) == 3
    origin.rules["/main.m3u8"] = [Rule(body=cut_after(text, 2), times=1), Rule()]
    assert counts(origin, tmp_path / "again.mp4") == whole


def test_a_playlist_without_an_end_is_refused_if_its_texts_differ(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    text = text_of(origin, "/main.m3u8")
    origin.rules["/main.m3u8"] = [*(Rule(body=cut_after(text, entries), times=1) for entries in (1, 2)), Rule(body=cut_after(text, 1))]
    assert_refused(origin, tmp_path, "incomplete")


def test_a_playlist_without_an_end_must_reach_the_end_of_its_file(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("fmp4-byterange"))
    text = text_of(origin, "/main.m3u8")
    origin.rules["/main.m3u8"] = Rule(body=text.removesuffix(ENDLIST))
    assert counts(origin, tmp_path / "output.mp4")["video"] == 150
    (tmp_path / "output.mp4").unlink()
    origin.rules["/main.m3u8"] = Rule(body=cut_after(text, 2))
    assert_refused(origin, tmp_path, "incomplete")


@pytest.mark.parametrize(
    ("name", "path", "entry"),
    [
        *(("ts-separate-audio", "/large.m3u8", f"large-{number}.ts") for number in (0, 1)),
        *(("ts-separate-audio", "/audio.m3u8", f"audio-{number}.ts") for number in (0, 1, 2)),
        *(("fmp4-separate-audio", "/audio.m3u8", f"audio-{number}.m4s") for number in (0, 1)),
        *(("packed-aac", "/video.m3u8", f"video-{number}.ts") for number in (0, 1)),
    ],
)
def test_an_entry_that_is_missing_in_one_track_is_a_failure_before_any_media(
    name: str, path: str, entry: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media(name))
    origin.rules[path] = Rule(body=without_entry(text_of(origin, path), entry))
    assert_refused(origin, tmp_path, "entries are missing")
    assert all(request.path.endswith(".m3u8") for request in origin.requests)


def test_an_entry_that_is_missing_once_is_no_failure(media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-separate-audio"))
    whole = media_reader.packet_counts(usual_output("ts-separate-audio"))
    thinned = without_entry(text_of(origin, "/audio.m3u8"), "audio-1.ts")
    origin.rules["/audio.m3u8"] = [Rule(body=thinned, times=1), Rule()]
    assert counts(origin, tmp_path / "again.mp4") == whole


def test_the_shorter_track_without_an_end_is_named(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-long"))
    origin.rules["/video.m3u8"] = Rule(body=cut_after(text_of(origin, "/video.m3u8"), 12))
    assert_refused(origin, tmp_path, "The playlist of the video is 552.021 s shorter than that of the audio: entries are missing.")


NAMED = ',AUDIO="a"'
SILENT_GROUPS = [
    pytest.param('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Main"\n', id="a group without an address"),
    pytest.param("", id="a group that does not exist"),
]


@pytest.mark.parametrize("group", SILENT_GROUPS)
@pytest.mark.parametrize("name", ["ts-video-only", "fmp4-video-only"])
def test_audio_that_is_named_and_nowhere_is_a_failure(group: str, name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media(name))
    video = text_of(origin, "/main.m3u8")
    origin.rules["/video.m3u8"] = Rule(body=video)
    variant = '#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.4d401e,mp4a.40.2"{}\nvideo.m3u8\n'
    origin.rules["/main.m3u8"] = Rule(body=f"#EXTM3U\n{group}{variant.format(NAMED)}".encode())
    assert_refused(origin, tmp_path, "names audio for this video", code=3)
    result = get(origin.url("/main.m3u8"), tmp_path / "muted.mp4", "--mute")
    assert (result.returncode, media_reader.packet_counts(tmp_path / "muted.mp4")) == (0, {"video": 150})
    origin.rules["/main.m3u8"] = Rule(body=f"#EXTM3U\n{group}{variant.format('')}".encode())
    assert counts(origin, tmp_path / "codecs-alone.mp4") == {"video": 150}


@pytest.mark.parametrize("group", SILENT_GROUPS)
def test_audio_that_is_named_may_be_in_the_segments_of_the_variant(
    group: str, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-muxed"))
    whole = media_reader.packet_counts(usual_output("ts-muxed"))
    origin.rules["/video.m3u8"] = Rule(body=text_of(origin, "/main.m3u8"))
    origin.rules["/main.m3u8"] = Rule(body=f'#EXTM3U\n{group}#EXT-X-STREAM-INF:BANDWIDTH=500000,AUDIO="a"\nvideo.m3u8\n'.encode())
    assert counts(origin, tmp_path / "grouped.mp4") == whole


def only_first(text: bytes) -> bytes:
    return cut_after(text, 1) + ENDLIST


def test_a_much_shorter_track_is_accepted_only_if_another_list_of_it_is_as_short(
    media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    whole = media_reader.packet_counts(usual_output("ts-separate-audio"))
    origin.rules["/audio.m3u8"] = Rule(body=only_first(text_of(origin, "/audio.m3u8")))
    refused = tmp_path / "refused"
    refused.mkdir()
    assert_refused(origin, refused, "playlist of the audio is 3.475 s shorter")
    more = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="Sound",URI="other.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=90'
    origin.rules["/main.m3u8"] = Rule(body=text_of(origin, "/main.m3u8").replace(b"#EXT-X-STREAM-INF:BANDWIDTH=90", more.encode()))
    origin.rules["/other.m3u8"] = Rule(body=text_of(origin, "/audio.m3u8"))
    assert_refused(origin, refused, "entries are missing")
    origin.rules["/other.m3u8"] = Rule(body=only_first(text_of(origin, "/audio.m3u8")))
    short = counts(origin, tmp_path / "short.mp4")
    assert short["video"] == whole["video"]
    assert 0 < short["audio"] < whole["audio"] / 2


@pytest.mark.parametrize("ignore_range", [False, True])
@pytest.mark.parametrize(("name", "media_of_audio"), [("faults-cmaf-byterange", "/audio.mp4"), ("faults-packed-aac", "/audio-5.aac")])
def test_a_track_that_ends_a_segment_early_is_tested_for_media_behind_its_end(  # a set, an origin's feature, and three fixtures
    name: str, media_of_audio: str, *, ignore_range: bool, media: Media, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media(name))
    origin.rules[media_of_audio] = Rule(ignore_range=ignore_range)
    text = text_of(origin, "/audio.m3u8")
    origin.rules["/audio.m3u8"] = Rule(body=text[: text.rindex(b"#EXTINF")] + ENDLIST)
    assert_refused(origin, tmp_path, "entries are missing")
    if name == "faults-packed-aac":
        origin.rules[media_of_audio] = Rule(status=404)
        result = get(origin.url("/main.m3u8"), tmp_path / "short.mp4")
        assert result.returncode == 0, result.stderr.decode()


def test_a_playlist_that_skips_a_segment_is_asked_for_again(media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("faults-ts-muxed"))
    whole = media_reader.packet_counts(usual_output("faults-ts-muxed"))
    text = text_of(origin, "/main.m3u8")
    origin.rules["/main.m3u8"] = [Rule(body=without_entry(text, "segment-3.ts"), times=2), Rule()]
    assert counts(origin, tmp_path / "again.mp4") == whole
    origin.rules["/main.m3u8"] = Rule(body=without_entry(text, "segment-3.ts"))
    refused = tmp_path / "refused"
    refused.mkdir()
    assert_refused(origin, refused, "The playlist lacks 1 segment:")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_playlist_that_another_one_names_may_be_missing_once(
    status: int, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    whole = media_reader.packet_counts(usual_output("ts-separate-audio"))
    origin.rules["/audio.m3u8"] = Rule(status=status, times=1)
    assert counts(origin, tmp_path / "late.mp4") == whole
    origin.rules["/main.m3u8"] = Rule(status=status, times=1)
    refused = tmp_path / "refused"
    refused.mkdir()
    assert_refused(origin, refused, str(status))


@pytest.mark.parametrize(("path", "times"), [("/main.m3u8", 1), ("/audio.m3u8", 2)])
def test_a_web_page_instead_of_a_playlist_is_not_believed_at_once(
    path: str, times: int, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    whole = media_reader.packet_counts(usual_output("ts-separate-audio"))
    origin.rules[path] = Rule(body=html(3000), times=times)
    assert counts(origin, tmp_path / "late.mp4") == whole
