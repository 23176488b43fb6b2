"""The report of `/info` and the one that a source has been found: every member, of a playlist, of a file, and of what is not known."""

from dataclasses import asdict
from http import HTTPStatus

import pytest

from transcoder.core.answer.lambda_cost import BURST_BYTES, BYTES_PER_SECOND, download_cost
from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import ByteRange, Init, Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MultivariantPlaylist, parse
from transcoder.core.hls.variant_selection import select_variants
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import AudioMode, Clip, FileFormat, OutputFormat
from transcoder.core.source.info_report import InfoReport, SubtitleInfo, VariantInfo, make_report
from transcoder.core.source.reddit import Image, Video
from transcoder.core.source.resolved_report import resolved_report
from transcoder.core.source.source import ResolvedSource, Source, SourceKind

URL = "https://a.example/main.m3u8"
SECONDS = 10.0004
BYTES = BURST_BYTES + 3 * BYTES_PER_SECOND
SECTION = Init("https://a.example/init.mp4", ByteRange(0, 9), None)
MAIN = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=YES,URI="de.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="Plain",FORCED=YES
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Untertitel",LANGUAGE="de",DEFAULT=YES,FORCED=YES,URI="text.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="CC1",LANGUAGE="en",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=8000,AVERAGE-BANDWIDTH=4000,RESOLUTION=1280x720,FRAME-RATE=25,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"
720.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1600,RESOLUTION=640x360,CODECS="avc1.4d401f",AUDIO="a"
360.m3u8
#EXT-X-STREAM-INF:PROGRAM-ID=1
unknown.m3u8
"""


def multivariant(text: str = MAIN) -> MultivariantPlaylist:
    playlist = parse(text, URL)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def plan(*kinds: TrackKind, size: int | None = BYTES, init: Init | None = None, seconds: float = SECONDS) -> Plan:
    tracks = tuple(Track(kind, (Segment("1", seconds, 0.0, None, None, init),), seconds) for kind in kinds)
    return Plan((Period(tracks),) if kinds else (), 10.0, size)


APART = (TrackKind.VIDEO, TrackKind.AUDIO)


def resolved(made: Plan, text: str = MAIN, *, height: int | None = None) -> ResolvedSource:
    playlist = multivariant(text)
    return ResolvedSource(made, playlist, select_variants(playlist, height=height)[0])


def report(source: Source, found: ResolvedSource, *, limit: int = BYTES) -> InfoReport:
    return make_report(source, found, file_name="film.mp4", response_limit=limit)


PLAYLIST = Source(SourceKind.ADDRESS, URL, URL)


def test_a_report_on_a_post_has_every_member() -> None:
    videos = (
        Video(URL, seconds=6.0, size=(640, 360), silent=True),
        Video(URL, seconds=SECONDS, size=(1280, 720), silent=True),
        Video(URL),
    )
    page, poster = "https://www.reddit.com/r/aww/comments/1/", Image("https://a.example/p.jpg", 1280, 720)
    thumbnail = Image("https://a.example/t.jpg")
    source = Source(
        SourceKind.REDDIT, page, URL, "A film", "aww", 1_700_000_000.5, "someone", over_18=True, thumbnail=thumbnail, poster=poster
    )._replace(step="json", videos=videos, item=2)
    cost = round(download_cost(BYTES, fragmented=True).total, 7)
    assert report(source, resolved(plan(*APART, init=SECTION))).document() == {
        "kind": "reddit",
        "page": page,
        "title": "A film",
        "subreddit": "aww",
        "author": "someone",
        "posted": "2023-11-14T22:13:20+00:00",
        "over_18": True,
        "thumbnail": asdict(thumbnail),
        "poster": asdict(poster),
        "step": "json",
        "silent": False,
        "seconds": 10.0,
        "items": (
            {"item": 1, "width": 640, "height": 360, "seconds": 6.0, "chosen": False},
            {"item": 2, "width": 1280, "height": 720, "seconds": SECONDS, "chosen": True},
            {"item": 3, "width": None, "height": None, "seconds": None, "chosen": False},
        ),
        "variants": (
            asdict(VariantInfo(1280, 720, 25.0, ("avc1.4d401f", "mp4a.40.2"), 8000, 4000, BYTES, chosen=True)),
            asdict(VariantInfo(640, 360, None, ("avc1.4d401f",), 1600, None, 2000, chosen=False)),
            asdict(VariantInfo(None, None, None, (), None, None, None, chosen=False)),
        ),
        "audio": (
            {"group": "a", "name": "English", "language": "en", "default": False, "forced": False, "chosen": False},
            {"group": "a", "name": "Deutsch", "language": "de", "default": True, "forced": False, "chosen": True},
            {"group": "b", "name": "Plain", "language": None, "default": False, "forced": True, "chosen": False},
        ),
        "subtitles": (
            asdict(SubtitleInfo("s", "Untertitel", "de", default=True, forced=True, select="de", download=None, chosen=False)),
            asdict(SubtitleInfo("c", "CC1", "en", default=False, forced=False, select=None, download=None, chosen=False)),
        ),
        "file_name": "film.mp4",
        "estimated_bytes": BYTES,
        "estimated_seconds_on_lambda": 3.0,
        "estimated_dollars_on_aws": cost,
        "limits": ({"name": "response_limit", "value": BYTES, "unit": "bytes", "kept": True},),
        "audio_reencoded": None,
        "download": None,
    }


def test_what_is_not_known_is_none_and_what_is_not_there_is_empty() -> None:
    found = report(PLAYLIST, ResolvedSource(plan(TrackKind.BOTH, size=None, seconds=1.23456)))
    assert (found.kind, found.page, found.seconds) == ("hls", URL, 1.235)
    unknown = (found.title, found.posted, found.over_18, found.silent, found.estimated_bytes, found.audio_reencoded)
    assert {*unknown, found.estimated_seconds_on_lambda, found.estimated_dollars_on_aws, found.limits[0].kept} == {None}
    assert (found.items, found.variants, found.audio, found.subtitles) == ((), (), (), ())


def test_a_file_has_no_duration_by_a_playlist() -> None:
    head = FileHead("https://a.example/film.webm", HTTPStatus.OK, "video/webm", 1000)
    found = report(PLAYLIST, ResolvedSource(plan(size=1000), file=head))
    assert (found.kind, found.seconds, found.estimated_bytes, found.variants) == ("file", None, 1000, ())
    assert resolved_report(PLAYLIST, ResolvedSource(plan(size=None), file=head), file_name="film.webm") == {
        "event": "resolved",
        "title": None,
        "file_name": "film.webm",
        "seconds": None,
        "estimated_bytes": 1000,
        "thumbnail": None,
    }


def test_what_was_found_is_reported_before_anything_is_fetched() -> None:
    source = PLAYLIST._replace(title="A film", thumbnail=Image("https://a.example/t.jpg"))
    clipped = plan(TrackKind.BOTH, seconds=1.23456)._replace(output_format=OutputFormat(clip=Clip(0.1, 0.98765)))
    for made, seconds in ((plan(TrackKind.BOTH, seconds=1.23456), 1.235), (clipped, 0.988)):
        assert resolved_report(source, ResolvedSource(made), file_name="film.mp4") == {
            "event": "resolved",
            "title": "A film",
            "file_name": "film.mp4",
            "seconds": seconds,
            "estimated_bytes": BYTES,
            "thumbnail": "https://a.example/t.jpg",
        }


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_output_of_exactly_the_limit_is_within_it(more: int) -> None:
    (limit,) = report(PLAYLIST, resolved(plan(*APART)), limit=BYTES + more).limits
    assert limit.kept is (more >= 0)


@pytest.mark.parametrize("init", [None, SECTION])
def test_the_price_is_that_of_the_packaging(init: Init | None) -> None:
    expected = download_cost(BYTES, fragmented=init is not None).total
    assert report(PLAYLIST, resolved(plan(*APART, init=init))).estimated_dollars_on_aws == pytest.approx(expected, abs=1e-7)


VARIANT = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=8000{}\nv.m3u8\n"


@pytest.mark.parametrize(
    ("codecs", "said", "silent"),
    [
        (',CODECS="avc1.4d401f"', False, True),
        (',CODECS="avc1.4d401f,mp4a.40.2"', True, False),
        (',CODECS="avc1.4d401f,lpcm"', None, False),
        ("", True, None),
    ],
)
def test_codecs_say_whether_a_variant_without_a_group_is_silent(codecs: str, *, said: bool | None, silent: bool | None) -> None:
    source = PLAYLIST._replace(videos=(Video(URL, silent=said),))
    assert report(source, resolved(plan(TrackKind.BOTH), VARIANT.format(codecs))).silent is silent


def test_a_variant_beside_a_group_of_audio_is_not_silent_whatever_its_codecs_are() -> None:
    found = report(PLAYLIST, resolved(plan(*APART), height=400))
    assert [each.codecs for each in found.variants if each.chosen] == [("avc1.4d401f",)]
    assert found.silent is False


def test_subtitles_are_no_sound() -> None:
    subtitles = '#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="x",URI="x"\n'
    text = VARIANT.format(',CODECS="avc1.4d401f"').replace("#EXTM3U\n", subtitles)
    assert report(PLAYLIST, resolved(plan(TrackKind.BOTH), text)).silent is True


@pytest.mark.parametrize("said", [True, False, None])
def test_without_variants_the_post_says_whether_it_is_silent(*, said: bool | None) -> None:
    source = PLAYLIST._replace(videos=(Video(URL, silent=not said), Video(URL, silent=said)), item=2)
    assert report(source, ResolvedSource(plan(TrackKind.BOTH))).silent is said


@pytest.mark.parametrize(
    ("kinds", "output_format", "codec"),
    [
        ((TrackKind.BOTH,), OutputFormat(), "dts"),
        ((TrackKind.AUDIO,), OutputFormat(), "dts"),
        ((TrackKind.VIDEO,), OutputFormat(), None),
        ((TrackKind.BOTH,), OutputFormat(audio_mode=AudioMode.COPY), None),
        ((TrackKind.AUDIO,), OutputFormat(FileFormat.MP3), None),
        ((TrackKind.AUDIO,), OutputFormat(FileFormat.M4A), None),
    ],
)
def test_the_codec_that_an_mp4_cannot_hold_is_named(kinds: tuple[TrackKind, ...], output_format: OutputFormat, codec: str | None) -> None:
    found = resolved(plan(*kinds)._replace(output_format=output_format), VARIANT.format(',CODECS="avc1.4d401f,dtsc"'))
    assert report(PLAYLIST, found).audio_reencoded == codec
    assert report(PLAYLIST, found._replace(choice=None)).audio_reencoded is None
    head = FileHead("https://a.example/film.webm", HTTPStatus.OK, "video/webm", 1000)
    assert report(PLAYLIST, found._replace(file=head)).audio_reencoded is None


@pytest.mark.parametrize(
    ("kinds", "variant", "rendition"),
    [(APART, "720", "Deutsch"), ((TrackKind.VIDEO,), "720", None), ((TrackKind.AUDIO,), None, "Deutsch")],
)
def test_only_what_the_output_has_is_chosen(kinds: tuple[TrackKind, ...], variant: str | None, rendition: str | None) -> None:
    found = report(PLAYLIST, resolved(plan(*kinds)))
    assert [str(each.height) for each in found.variants if each.chosen] == ([variant] if variant else [])
    assert [each.name for each in found.audio if each.chosen] == ([rendition] if rendition else [])
    smaller = report(PLAYLIST, resolved(plan(*kinds), height=400))
    assert [each.height for each in smaller.variants if each.chosen] == ([360] if variant else [])


def test_audio_that_is_in_the_segments_of_the_variant_uses_the_variant() -> None:
    found = report(PLAYLIST, resolved(plan(TrackKind.AUDIO), VARIANT.format("")))
    assert [each.chosen for each in found.variants] == [True]
    unchosen = report(PLAYLIST, ResolvedSource(plan(TrackKind.AUDIO), multivariant()))
    assert not any(each.chosen for each in unchosen.variants)
    assert not any(each.chosen for each in unchosen.audio)
