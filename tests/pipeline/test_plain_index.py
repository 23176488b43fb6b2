"""The index of a plain MP4 is read from the heads of segments, and a head that is missing or damaged is an error."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.large_source import write_large_source
from peers.origin import GOOD, Request, Rule
from peers.plain_files import index_of, part_of
from peers.source_files import files_in

from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4.movie import read_movie
from transcoder.core.output.labels import Labels
from transcoder.errors import (
    BadRequestError,
    ChangedFileError,
    DamagedMediaError,
    PlainLayoutError,
    UnsupportedSourceError,
    UpstreamError,
)

Media = Callable[[str], Path]


def test_both_renditions_are_in_one_file(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("fmp4-separate-audio")
    indexed = index_of(serve(folder).url("/main.m3u8"))
    output = tmp_path / "output.mp4"
    output.write_bytes(part_of(indexed.file))
    sources = [media_reader.concatenate(folder / f"{name}.m3u8", tmp_path / f"{name}.mp4") for name in ("large", "audio")]
    assert media_reader.hashes(output) == media_reader.source_hashes(*sources)
    assert media_reader.audio_delay(output) == pytest.approx(media_reader.audio_delay(*sources), abs=0.001)
    assert indexed.file.length == output.stat().st_size
    assert media_reader.header_duration(output) == pytest.approx(indexed.file.movie.seconds, abs=0.001)


def test_a_part_costs_the_origin_no_more_than_itself(media: Media, serve: Serve) -> None:
    origin = serve(media("fmp4-separate-audio"))
    indexed = index_of(origin.url("/main.m3u8"))
    whole = part_of(indexed.file)
    chosen = random.Random(2)  # noqa: S311 - nothing secret
    for _ in range(40):
        start, stop = sorted(chosen.sample(range(indexed.file.length + 1), 2))
        before = origin.sent
        assert part_of(indexed.file, start, stop) == whole[start:stop]
        assert origin.sent - before <= stop - start


def test_one_head_for_each_fragment(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-separate-audio"))
    origin = serve(files)
    indexed = index_of(origin.url("/main.m3u8"))
    segments = [request for request in origin.requests if request.path.endswith(".m4s")]
    assert len(segments) == indexed.file.heads == sum(files[path].count(b"moof") for path in {request.path for request in segments})
    assert {request.status for request in segments} == {206}


@pytest.mark.parametrize(("parameters", "streams"), [({"mute": "1"}, {"video"}), ({"format": "m4a"}, {"audio"}), ({}, {"video", "audio"})])
@pytest.mark.parametrize("name", ["fmp4-separate-audio", "fmp4-muxed"])
def test_only_what_is_asked_for_is_in_it(
    name: str, parameters: dict[str, str], streams: set[str], media: Media, serve: Serve, tmp_path: Path
) -> None:
    output = tmp_path / "output.mp4"
    output.write_bytes(part_of(index_of(serve(media(name)).url("/main.m3u8"), parameters=parameters).file))
    assert media_reader.packet_counts(output).keys() == streams
    assert output.read_bytes()[8:12] == (b"M4A " if "format" in parameters else b"isom")


def test_height_chooses_the_variant(media: Media, serve: Serve, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    output.write_bytes(part_of(index_of(serve(media("fmp4-separate-audio")).url("/main.m3u8"), parameters={"height": "180"}).file))
    assert media_reader.frame_size(output) == (320, 180)


def test_tags_and_language_are_in_the_header(media: Media, serve: Serve) -> None:
    labels = Labels({"title": "Käse", "comment": "https://example.com/", "date": "2026-11-27"}, "de")
    head = index_of(serve(media("fmp4-separate-audio")).url("/main.m3u8"), labels=labels).file.movie.bytes.head
    moov = next(box for box in boxes_of(head[: head.index(b"mdat") - 4]) if box.type == b"moov")
    assert "Käse".encode() in moov.raw
    languages = [track.box.require(b"mdia", b"mdhd").uint(20, 2) for track in read_movie(moov).tracks]
    assert languages[1] == 4 << 10 | 5 << 5 | 21


@pytest.mark.parametrize("window", [{"start": "2.3", "end": "4.1"}, {"start": "3"}, {"end": "2.5"}, {"start": "1", "end": "1.2"}])
@pytest.mark.parametrize("name", ["fmp4-separate-audio", "fmp4-muxed"])
def test_a_clip_has_the_samples_of_the_fragmented_one(
    name: str, window: dict[str, str], media: Media, serve: Serve, tmp_path: Path
) -> None:
    url = serve(media(name)).url("/main.m3u8")
    plain, fragmented = tmp_path / "plain.mp4", tmp_path / "fragmented.mp4"
    plain.write_bytes(part_of(index_of(url, parameters=window).file))
    options = [text for key, value in window.items() for text in (f"--{key}", value)]
    assert get(url, fragmented, *options).returncode == 0
    assert media_reader.packet_counts(plain) == media_reader.packet_counts(fragmented)
    assert media_reader.hashes(plain) == media_reader.hashes(fragmented)
    assert media_reader.audio_delay(plain) == pytest.approx(media_reader.audio_delay(fragmented), abs=0.002)


def test_a_clip_beyond_the_media_is_refused(media: Media, serve: Serve) -> None:
    with pytest.raises(BadRequestError, match="start"):
        index_of(serve(media("fmp4-muxed")).url("/main.m3u8"), parameters={"start": "100"})


@pytest.mark.parametrize(("name", "parameters", "reason"), [
    pytest.param("ts-muxed", {}, "not fragmented MP4", id="a transport stream"),
    pytest.param("join-fmp4", {}, "several parts", id="several periods"),
    pytest.param("fmp4-muxed", {"format": "mp3"}, "an MP3", id="an MP3"),
    pytest.param("fmp4-muxed", {"start": "1", "exact": "1"}, "exact", id="an exact clip"),
    pytest.param("fmp4-dts", {}, "re-encoded", id="audio that MP4 cannot hold"),
    pytest.param("fmp4-ac3", {"format": "m4a"}, "re-encoded", id="audio that M4A cannot hold"),
])  # fmt: skip
def test_a_source_without_a_plain_layout_says_why(name: str, parameters: dict[str, str], reason: str, media: Media, serve: Serve) -> None:
    with pytest.raises(PlainLayoutError, match=reason):
        index_of(serve(media(name)).url("/main.m3u8"), parameters=parameters)


def test_too_many_heads_are_no_plain_layout_and_none_is_fetched(media: Media, serve: Serve) -> None:
    origin = serve(media("fmp4-separate-audio"))
    with pytest.raises(PlainLayoutError, match="more than 5 heads"):
        index_of(origin.url("/main.m3u8"), max_heads=5)
    assert not [request for request in origin.requests if request.path.endswith((".m4s", ".mp4"))]


def test_segments_may_have_more_fragments_than_the_first_one_and_all_count(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-muxed"))
    first = files["/segment-0.m4s"]
    border = first.rindex(b"moof") - 4
    files |= {"/segment-0.m4s": first[:border], "/second.m4s": first[border:]}
    files["/main.m3u8"] = re.sub(
        rb"#EXTINF:([0-9.]+),\s+segment-0.m4s",
        lambda found: b"#EXTINF:%f,\nsegment-0.m4s\n#EXTINF:%f,\nsecond.m4s" % ((float(found[1]) / 2,) * 2),
        files["/main.m3u8"],
    )
    fragments = sum(body.count(b"moof") for path, body in files.items() if path.endswith(".m4s"))
    url = serve(files).url("/main.m3u8")
    assert index_of(url, max_heads=fragments).file.length > sum(map(len, files.values())) // 2
    with pytest.raises(PlainLayoutError, match=f"more than {fragments - 1} heads"):
        index_of(url, max_heads=fragments - 1)


@pytest.mark.parametrize("rule", [Rule(ignore_range=True), Rule(gzip=True), Rule(chunked=True, ignore_range=True)])
def test_an_origin_without_ranges_gives_no_plain_layout(rule: Rule, media: Media, serve: Serve) -> None:
    origin = serve(media("fmp4-muxed"))
    origin.rules["*"] = replace(rule, when=lambda request: request.path.endswith(".m4s"))
    with pytest.raises(PlainLayoutError, match="byte ranges"):
        index_of(origin.url("/main.m3u8"))


SINGLE_HEADS, SEVERAL_HEADS, ONE_FILE = "", "fmp4-muxed", "fmp4-byterange"


def source_files(name: str, media: Media) -> dict[str, bytes]:
    """Return the files of a set, or for `SINGLE_HEADS` those of a source whose segments have one fragment each."""
    return files_in(media(name)) if name else dict(write_large_source(media, segments=3, segment_bytes=50_000))


def numbered(name: str, template: str, request: Request, earlier: int) -> Rule:
    """Give each response to a request for media another value of a header field."""
    if request.path.endswith(".m3u8"):
        return GOOD
    value = template.format(f"{earlier % 60:02}")
    return Rule(etag="", headers={name: value}) if name != "ETag" else Rule(etag=value)


@pytest.mark.parametrize("source", [SINGLE_HEADS, SEVERAL_HEADS, ONE_FILE])
@pytest.mark.parametrize(("name", "template"), [("ETag", '"{}"'), ("Last-Modified", "Fri, 27 Nov 2026 12:00:{} GMT")])
def test_an_origin_whose_validators_change_each_time_gives_no_plain_layout(
    source: str, name: str, template: str, media: Media, serve: Serve
) -> None:
    origin = serve(source_files(source, media))
    origin.decide = partial(numbered, name, template)
    with pytest.raises(PlainLayoutError, match="another ETag or Last-Modified in each response"):
        index_of(origin.url("/main.m3u8"))


@pytest.mark.parametrize("source", [SINGLE_HEADS, SEVERAL_HEADS])
def test_a_weak_etag_that_changes_does_not_matter(source: str, media: Media, serve: Serve) -> None:
    origin = serve(source_files(source, media))
    origin.decide = partial(numbered, "ETag", 'W/"{}"')
    assert part_of(index_of(origin.url("/main.m3u8")).file)


def test_a_track_whose_first_segment_took_one_head_is_asked_for_one_more_byte(media: Media, serve: Serve) -> None:
    origin = serve(source_files(SINGLE_HEADS, media))
    file = index_of(origin.url("/main.m3u8")).file
    assert file.heads == len([request for request in origin.requests if request.path.endswith(".m4s")]) == 4
    assert [request.sent for request in origin.requests].count(1) == 1


def test_a_file_that_changes_once_while_the_index_is_made_is_read_again(media: Media, serve: Serve) -> None:
    origin = serve(files := source_files(SINGLE_HEADS, media))
    origin.rules[segment_paths(files)[0]] = Rule(etag='"old"', times=1)
    file = index_of(origin.url("/main.m3u8")).file
    assert len(part_of(file)) == file.length


@pytest.mark.parametrize("rule", [Rule(gzip=True), Rule(gzip=True, ignore_range=True)])
def test_an_origin_that_does_not_tell_the_length_of_each_segment_gives_no_plain_layout(rule: Rule, media: Media, serve: Serve) -> None:
    origin = serve(files := files_in(media(SEVERAL_HEADS)))
    last = segment_paths(files)[-1]
    origin.rules[last] = rule
    with pytest.raises(PlainLayoutError, match="how long each of its segments is"):
        index_of(origin.url("/main.m3u8"))
    origin.rules[last] = replace(rule, times=1)
    assert index_of(origin.url("/main.m3u8")).file.length > 0


def segment_paths(files: dict[str, bytes]) -> list[str]:
    return sorted(path for path in files if path.endswith(".m4s"))


def test_a_missing_segment_is_an_error(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-muxed"))
    del files[segment_paths(files)[1]]
    with pytest.raises(UpstreamError, match="404"):
        index_of(serve(files).url("/main.m3u8"))


def test_a_head_that_fails_twice_is_asked_for_again(media: Media, serve: Serve) -> None:
    origin = serve(files := files_in(media("fmp4-muxed")))
    origin.rules[segment_paths(files)[1]] = Rule(status=503, times=2)
    assert index_of(origin.url("/main.m3u8")).file.length > 0


@pytest.mark.parametrize("rule", [Rule(content_range="bytes 0-99999/100000"), Rule(content_range="bytes 5-4100/90000")])
def test_a_head_of_another_length_than_asked_is_an_error(rule: Rule, media: Media, serve: Serve) -> None:
    origin = serve(files := files_in(media("fmp4-muxed")))
    origin.rules[segment_paths(files)[1]] = rule
    with pytest.raises(UpstreamError, match=r"requested range|Content-Range"):
        index_of(origin.url("/main.m3u8"))


def test_a_segment_in_place_of_another_is_an_error(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-muxed"))
    first, second, *_ = segment_paths(files)
    files[second] = files[first]
    with pytest.raises(DamagedMediaError):
        index_of(serve(files).url("/main.m3u8"))


def test_a_segment_that_is_cut_off_is_an_error(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-muxed"))
    path = segment_paths(files)[1]
    files[path] = files[path][: len(files[path]) // 2]
    with pytest.raises(DamagedMediaError, match="cut off"):
        index_of(serve(files).url("/main.m3u8"))


def test_the_last_byte_range_may_reach_beyond_the_end_of_its_file(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-byterange"))
    before = part_of(index_of(serve(files).url("/main.m3u8")).file)
    head, _, rest = files["/main.m3u8"].decode().rpartition("#EXT-X-BYTERANGE:")
    length, _, others = rest.partition("@")
    files["/main.m3u8"] = f"{head}#EXT-X-BYTERANGE:{int(length) + 1000}@{others}".encode()
    assert part_of(index_of(serve(files).url("/main.m3u8")).file) == before


def test_damage_that_passes_is_read_again(media: Media, serve: Serve) -> None:
    origin = serve(files := files_in(media("fmp4-muxed")))
    path = segment_paths(files)[1]
    origin.rules[path] = Rule(body=files[path][: len(files[path]) // 2], times=1)
    assert index_of(origin.url("/main.m3u8")).file.length > sum(map(len, files.values())) // 2


def test_encrypted_samples_are_refused(media: Media, serve: Serve) -> None:
    files = {path: data.replace(b"avc1", b"encv") for path, data in files_in(media("fmp4-muxed")).items()}
    with pytest.raises(UnsupportedSourceError, match="protected"):
        index_of(serve(files).url("/main.m3u8"))


@pytest.mark.parametrize("change", [
    pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="the same length"),
    pytest.param(lambda data: data + b"\0" * 8, id="longer"),
    pytest.param(lambda data: data[: len(data) // 2], id="it shrinks"),
])  # fmt: skip
def test_a_source_that_changes_is_a_failure_and_has_another_etag(change: Callable[[bytes], bytes], media: Media, serve: Serve) -> None:
    origin = serve(files := dict(files_in(media("fmp4-muxed"))))
    before = index_of(origin.url("/main.m3u8")).file
    path = segment_paths(files)[2]
    files[path] = change(files[path])
    with pytest.raises(ChangedFileError, match="has changed since"):
        part_of(before)
    if len(files[path]) == before.resources[2][1].length:
        assert index_of(origin.url("/main.m3u8")).file.etag != before.etag


def test_the_etag_is_that_of_the_bytes(media: Media, serve: Serve) -> None:
    files = files_in(media("fmp4-separate-audio"))
    etags = [
        index_of(serve(files).url("/main.m3u8"), parameters=parameters).file.etag for parameters in ({}, {"mute": "1"}, {"height": "180"})
    ]
    assert len(set(etags)) == 3
    origin = serve(files)
    assert index_of(origin.url("/main.m3u8")).file.etag == index_of(origin.url("/main.m3u8")).file.etag


def test_what_is_kept_of_a_file_grows_with_its_addresses(media: Media, serve: Serve) -> None:
    file = index_of(serve(media("fmp4-muxed")).url("/main.m3u8")).file
    longer = file._replace(resources=tuple((url + "?" + 999 * "x", version) for url, version in file.resources))
    assert longer.kept_bytes - file.kept_bytes == 1000 * len(file.resources)
    assert file.kept_bytes > file.movie.bytes.kept_bytes + sum(len(url) for url, _ in file.resources)
