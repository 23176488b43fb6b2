"""Transcoder from Python: what is saved, streamed and told, how it fails, and what is left when it is cancelled."""

import asyncio
import functools
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import SECONDS
from peers.get_command import get
from peers.leaks import children
from peers.origin import Origin, Rule

import transcoder
from transcoder import ProgressReport
from transcoder.core.request.output_format import AudioMode, FileFormat, Layout, VideoMode
from transcoder.core.request.parameters import PARAMETERS
from transcoder.errors import BadRequestError, ForbiddenSourceError, OutputError, OutputExistsError, UpstreamError

Media = Callable[[str], Path]
NOT_ABOUT_THE_OUTPUT = {"headers", "headers_for", "cookies", "ca_file", "proxy", "allow_private", "network"}


@pytest.fixture
def source(media: Media, serve: Serve) -> Origin:
    return serve(media("ts-muxed"))


def stalled(source: Origin) -> Origin:
    """Let the last segment stand still in the middle, but not what is probed of it."""
    source.rules["/segment-2.ts"] = [Rule(when=lambda request: "range" in request.headers), Rule(stall_after=1000)]
    return source


def test_a_file_is_saved_and_described(source: Origin, tmp_path: Path) -> None:
    reports: list[ProgressReport] = []
    path = tmp_path / "video.mp4"
    saved = asyncio.run(transcoder.save(source.url("/main.m3u8"), path, on_progress=reports.append))
    assert media_reader.is_whole(path)
    assert (saved.url, saved.path, saved.bytes) == (source.url("/main.m3u8"), str(path), path.stat().st_size)
    assert saved.duration == pytest.approx(6.0, abs=0.2)
    assert 0 < saved.seconds < SECONDS
    assert reports[0].bytes == 0
    assert [report.bytes for report in reports] == sorted(report.bytes for report in reports)
    assert (reports[-1].segments, reports[-1].total_segments, reports[-1].path) == (3, 3, str(path))
    assert reports[-1].seconds == pytest.approx(reports[-1].total_seconds, abs=0.1)


def test_a_name_is_made_in_a_folder(source: Origin, tmp_path: Path) -> None:
    saved = transcoder.save_sync(source.url("/main.m3u8"), folder=tmp_path)
    assert [str(path) for path in tmp_path.iterdir()] == [saved.path]


@pytest.mark.parametrize(
    ("choices", "options"),
    [
        ({"start": 1.5, "end": 4}, ["--start", "1.5", "--end", "4"]),
        ({"start": "0:02", "mute": True, "layout": "fragmented"}, ["--start", "2", "--mute", "--layout", "fragmented"]),
        ({"format": "m4a", "mute": False, "height": None}, ["--format", "m4a"]),
        ({"height": 720, "item": 1, "embed_source": True}, ["--height", "720p", "--item", "1", "--embed-source"]),
    ],
)
def test_choices_are_those_of_the_command_line(choices: dict[str, Any], options: list[str], source: Origin, tmp_path: Path) -> None:
    transcoder.save_sync(source.url("/main.m3u8"), tmp_path / "python.mp4", **choices)
    assert get(source.url("/main.m3u8"), tmp_path / "command.mp4", *options).returncode == 0
    assert (tmp_path / "python.mp4").read_bytes() == (tmp_path / "command.mp4").read_bytes()


def test_choices_and_their_values_are_those_of_the_table_of_parameters() -> None:
    hints = get_type_hints(transcoder.Choices)
    assert set(hints) - NOT_ABOUT_THE_OUTPUT == {parameter.name for parameter in PARAMETERS} - {"deliver"}
    for name, kind in {"format": FileFormat, "video": VideoMode, "audio_codec": AudioMode, "layout": Layout}.items():
        literal, _ = get_args(hints[name])
        assert list(get_args(literal)) == [each.value for each in kind]


class CoroutineSink:
    def __init__(self) -> None:
        self.body = b""

    async def write(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.body += chunk


def test_a_stream_goes_into_any_sink(source: Origin, tmp_path: Path) -> None:
    kept, own = io.BytesIO(), CoroutineSink()
    written = transcoder.stream_sync(source.url("/main.m3u8"), kept)
    (tmp_path / "kept.mp4").write_bytes(kept.getvalue())
    assert media_reader.is_whole(tmp_path / "kept.mp4")
    assert media_reader.is_fragmented(tmp_path / "kept.mp4")
    assert written.bytes == len(kept.getvalue())
    assert written.duration == pytest.approx(6.0, abs=0.2)
    asyncio.run(transcoder.stream(source.url("/main.m3u8"), own))
    assert own.body == kept.getvalue()
    with (tmp_path / "file.mp4").open("wb", buffering=0) as file:
        transcoder.stream_sync(source.url("/main.m3u8"), file)
        assert not file.closed
    assert (tmp_path / "file.mp4").read_bytes() == kept.getvalue()


class ShortSink:
    """Takes no more than so many bytes at a time, and says how many it took."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.body = bytearray()

    def write(self, chunk: bytes) -> int:
        taken = chunk[: self.most]
        self.body += taken
        return len(taken)


def test_a_sink_that_takes_less_than_it_is_given_gets_the_rest(source: Origin) -> None:
    kept, short = io.BytesIO(), ShortSink(1000)
    transcoder.stream_sync(source.url("/main.m3u8"), kept)
    transcoder.stream_sync(source.url("/main.m3u8"), short)
    assert short.body == kept.getvalue()
    with pytest.raises(OutputError, match="takes no more bytes"):
        transcoder.stream_sync(source.url("/main.m3u8"), ShortSink(0))


@pytest.mark.long
def test_a_stream_of_asyncio_is_written_no_faster_than_it_is_read(media: Media, serve: Serve) -> None:
    url = serve(media("ts-large")).url("/main.m3u8")

    async def run() -> tuple[int, int, int]:
        near, far = socket.socketpair()
        reader, other_end = await asyncio.open_connection(sock=far)
        _, writer = await asyncio.open_connection(sock=near)

        async def write() -> int:
            written = await transcoder.stream(url, writer)
            writer.close()
            return written.bytes

        writing = asyncio.create_task(write())
        received, most = 0, 0
        while piece := await reader.read(65536):
            received += len(piece)
            most = max(most, writer.transport.get_write_buffer_size())
        other_end.close()
        return await writing, received, most

    sent, received, most = asyncio.run(run())
    assert sent == received > 10**6
    assert most < sent / 2


def test_a_full_pipe_that_does_not_block_is_an_error(media: Media, serve: Serve) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", 0) as pipe, pytest.raises(OutputError, match="not blocking"):
        transcoder.stream_sync(serve(media("ts-large")).url("/main.m3u8"), pipe)


class FailingSink:
    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def write(self, _chunk: bytes) -> None:
        raise self.failure


class FailingCoroutineSink(FailingSink):
    async def write(self, _chunk: bytes) -> None:  # type: ignore[override]  # a sink may be either
        await asyncio.sleep(0)
        raise self.failure


OF_THE_CALLER = [
    ZeroDivisionError("mine"),
    OSError(5, "mine"),
    TimeoutError("mine"),
    UpstreamError("mine"),
    ExceptionGroup("mine", [ValueError("first"), OSError("second")]),
]


@pytest.mark.parametrize("failure", OF_THE_CALLER, ids=repr)
@pytest.mark.parametrize("layout", ["plain", "fragmented"])
@pytest.mark.parametrize("kind", [FailingSink, FailingCoroutineSink])
def test_what_a_sink_raises_is_raised(
    kind: type[FailingSink],
    layout: Any,
    failure: Exception,
    source: Origin,
    no_leaks: None,  # noqa: ARG001
) -> None:
    with pytest.raises(type(failure)) as raised:
        transcoder.stream_sync(source.url("/main.m3u8"), kind(failure), layout=layout)
    assert raised.value is failure


@pytest.mark.parametrize("failure", OF_THE_CALLER, ids=repr)
@pytest.mark.parametrize("at", [1, 2, 5])
def test_what_is_raised_by_whoever_is_told_the_progress_is_raised(
    failure: Exception,
    at: int,
    source: Origin,
    tmp_path: Path,
    no_leaks: None,  # noqa: ARG001
) -> None:
    calls: list[ProgressReport] = []
    folder = tmp_path / "folder"
    folder.mkdir()

    def told(report: ProgressReport) -> None:
        calls.append(report)
        if len(calls) == at:
            raise failure

    with pytest.raises(type(failure)) as raised:
        transcoder.save_sync(source.url("/main.m3u8"), folder / "video.mp4", on_progress=told)
    assert raised.value is failure
    assert (len(calls), list(folder.iterdir())) == (at, [])


async def told_later(_report: ProgressReport) -> None:
    await asyncio.sleep(0)


class ToldLater:
    async def __call__(self, _report: ProgressReport) -> None:
        await asyncio.sleep(0)


@pytest.mark.parametrize("told", [told_later, ToldLater(), functools.partial(told_later)])
def test_a_coroutine_function_is_not_told_the_progress(told: Any, source: Origin, tmp_path: Path) -> None:
    with pytest.raises(BadRequestError, match="on_progress: it is a coroutine function"):
        transcoder.save_sync(source.url("/main.m3u8"), tmp_path / "video.mp4", on_progress=told)
    assert (source.requests, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.filterwarnings("error")
def test_a_function_that_returns_a_coroutine_is_refused_when_it_does(source: Origin, tmp_path: Path) -> None:
    with pytest.raises(BadRequestError, match="on_progress: it is a coroutine function"):
        transcoder.save_sync(source.url("/main.m3u8"), tmp_path / "video.mp4", on_progress=lambda report: told_later(report))  # type: ignore[arg-type]  # noqa: PLW0108
    assert not list(tmp_path.iterdir())


def test_info_describes_a_source_without_its_segments(media: Media, serve: Serve) -> None:
    origin = serve(media("ts-separate-audio"))
    report = transcoder.info_sync(origin.url("/main.m3u8"), height=200)
    assert report.kind == "hls"
    assert report.seconds == pytest.approx(6.0, abs=0.2)
    assert [variant.chosen for variant in report.variants].count(True) == 1
    assert not [request for request in origin.requests if request.path.endswith(".ts")]
    assert asyncio.run(transcoder.info(origin.url("/main.m3u8"), height=200)) == report


def test_failures_have_the_classes_of_errors(source: Origin, tmp_path: Path) -> None:
    url, path = source.url("/main.m3u8"), tmp_path / "video.mp4"
    with pytest.raises(BadRequestError, match="not a number of pixels"):
        transcoder.save_sync(url, path, height="tall")
    with pytest.raises(UpstreamError, match="404"):
        transcoder.save_sync(source.url("/none.m3u8"), path)
    with pytest.raises(TypeError, match="no choice 'hight'"):
        transcoder.save_sync(url, path, hight=720)  # type: ignore[call-arg]  # that is the mistake
    assert not list(tmp_path.iterdir())
    path.write_text("precious")
    with pytest.raises(OutputExistsError, match=r"video\.mp4 exists already\."):
        transcoder.save_sync(url, path)
    assert path.read_text() == "precious"
    assert isinstance(OutputExistsError(""), transcoder.TranscoderError)
    transcoder.save_sync(url, path, overwrite=True)
    assert media_reader.is_whole(path)


@pytest.mark.parametrize("value", [0, 1, "0", "false", "no", "yes", ""])
@pytest.mark.parametrize("name", ["allow_private", "overwrite"])
def test_a_flag_is_true_or_false_and_nothing_that_resembles_them(name: str, value: object, source: Origin, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_text("precious")
    flags: dict[str, Any] = {"overwrite": True} | {name: value}
    with pytest.raises(BadRequestError, match=f"{name}: .* is neither True nor False"):
        transcoder.save_sync(source.url("/main.m3u8"), path, **flags)
    assert path.read_text() == "precious"
    assert not source.requests


WRONG: list[tuple[str, list[Any]]] = [
    ("url", [None, 1, b"https://example.com/", Path("main.m3u8"), ["a"]]),
    ("path", [1, b"video.mp4", ["a"], "a\0b", "\ud800", Path("a\0b"), True]),
    ("folder", [1, b"folder", "a\0b"]),
    ("overwrite", [None, 1]),
    ("settings", [{}, "x", 1]),
    ("on_progress", [1, "print"]),
    ("height", [1.5, True, [720], {}, 10**9, -1, 0, "7\0"]),
    ("audio", [1, True, ["de"], b"de", "d\0e", "\udcff", ""]),
    ("format", [1, True, "mkv", ["mp4"]]),
    ("mute", [1, 0, 1.0, "yes", []]),
    ("start", [True, [], float("nan"), float("inf"), -1.0, "\0", b"1"]),
    ("end", [False, {}, -2, "soon"]),
    ("exact", [1, "true"]),
    ("fit", [1.5, True, b"8MB", -8, "\0"]),
    ("video", [1, "av1"]),
    ("audio_codec", [1, "opus"]),
    ("layout", [1, "flat"]),
    ("embed_source", [1, "no"]),
    ("item", [1.5, True, "x", 0]),
    ("filename", [1, Path("x"), "a\0b", "\udcff"]),
    ("page", [1, Path("x"), "\udcff", "https://example.com/\udcff", "https://example.com/\0"]),
    ("headers", ["A: b", ["A: b"], {"A": 1}, {1: "b"}, {"A": None}, {"A": b"b"}, {"A": "\0"}, {"A": "\udcff"}, {"\udcff": "a"}]),
    ("headers_for", ["h", {"h": "A: b"}, {"h": {"A": 1}}, {1: {}}, {"h\0": {"A": "b"}}, {"\udcff": {"A": "b"}}]),
    ("cookies", [1, b"c", "a\0b", ["c"]]),
    ("ca_file", [1, b"c", "a\0b", ["c"]]),
    ("proxy", [1, True, b"http://p", "http://p\0:1", "http://\udcff:1", "http://a:\udcff@p:1"]),
    ("allow_private", [1, "yes"]),
    ("network", [1, "internet"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values], ids=repr)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_parameter(
    name: str, value: object, source: Origin, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"url": source.url("/main.m3u8"), "path": tmp_path / "video.mp4"} | {name: value}
    if name in {"exact", "end"}:
        arguments["start"] = 0.5
    if name == "folder":
        arguments["path"] = "video.mp4"
    if value is None and name == "overwrite":
        arguments["overwrite"] = "None"
    with pytest.raises(BadRequestError) as raised:
        transcoder.save_sync(**arguments)
    assert re.match(rf"(--)?{name.replace('_', '[_-]')}\b|--header", str(raised.value))
    assert str(raised.value).endswith(".")
    assert not source.requests
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        "a\0b",
        "https://h/\0",
        "https://h/\udce9",
        "https://u:\udce9@h/",
        "\udce9",
        "file:\0",
        "file:///a\0b",
        "file:///\ud800",
        "s3://buck/\udce9",
        "",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError):
        transcoder.info_sync(url)


@pytest.mark.parametrize("sink", [None, 1, "video.mp4", Path("video.mp4"), io.StringIO()])
def test_what_takes_no_bytes_is_no_sink(sink: Any, source: Origin) -> None:
    with pytest.raises(BadRequestError, match=r"^sink: "):
        transcoder.stream_sync(source.url("/main.m3u8"), sink)
    assert not source.requests


def test_a_choice_that_does_not_exist_is_an_error_whatever_its_value(tmp_path: Path) -> None:
    none: dict[str, Any] = {"bogus": None}
    with pytest.raises(TypeError, match="there is no choice 'bogus'"):
        transcoder.info_sync(str(tmp_path), **none)


def test_a_stranger_reaches_neither_files_nor_private_addresses(source: Origin, media: Media, tmp_path: Path) -> None:
    with pytest.raises(ForbiddenSourceError):
        transcoder.save_sync(source.url("/main.m3u8"), tmp_path / "a.mp4", allow_private=False)
    file = media("ts-muxed") / "main.m3u8"
    for url in (str(file), file.as_uri()):
        with pytest.raises(BadRequestError):
            transcoder.save_sync(url, tmp_path / "a.mp4", allow_private=False)
    assert not source.requests
    assert not list(tmp_path.iterdir())
    transcoder.save_sync(str(file), tmp_path / "a.mp4")
    assert media_reader.is_whole(tmp_path / "a.mp4")


@pytest.mark.parametrize("layout", ["plain", "fragmented"])
def test_a_task_that_is_cancelled_leaves_nothing(layout: Any, source: Origin, tmp_path: Path, no_leaks: None) -> None:  # noqa: ARG001
    folder = tmp_path / "folder"
    folder.mkdir()
    stalled(source)

    async def run() -> set[int]:
        before = children(os.getpid())
        task = asyncio.create_task(transcoder.save(source.url("/main.m3u8"), folder / "video.mp4", layout=layout))
        while not [each for each in source.requests if each.path == "/segment-2.ts" and "range" not in each.headers]:
            await asyncio.sleep(0.02)
            assert not task.done()
        await asyncio.sleep(0.3)
        begun = children(os.getpid()) - before
        assert [path.suffix for path in folder.iterdir()] == [".part"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not children(os.getpid()) & begun
        return begun

    assert asyncio.run(run())
    assert not list(folder.iterdir())


def test_a_time_limit_of_the_caller_ends_a_stream(source: Origin, no_leaks: None) -> None:  # noqa: ARG001
    async def run() -> None:
        async with asyncio.timeout(2.0):
            await transcoder.stream(stalled(source).url("/main.m3u8"), io.BytesIO())

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_a_twin_without_await_refuses_to_block_an_event_loop(source: Origin, tmp_path: Path) -> None:
    url = source.url("/main.m3u8")

    async def run() -> transcoder.Saved:
        for call in (
            lambda: transcoder.save_sync(url, tmp_path / "a.mp4"),
            lambda: transcoder.stream_sync(url, io.BytesIO()),
            lambda: transcoder.info_sync(url),
        ):
            with pytest.raises(RuntimeError, match=r"await transcoder\.(save|stream|info)"):
                call()
        return await asyncio.to_thread(transcoder.save_sync, url, tmp_path / "b.mp4")

    assert asyncio.run(run()).path == str(tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]


def test_several_may_be_saved_at_once(source: Origin, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda name: transcoder.save_sync(source.url("/main.m3u8"), tmp_path / name), ["a.mp4", "b.mp4"]))

    async def run() -> None:
        await asyncio.gather(*(transcoder.save(source.url("/main.m3u8"), tmp_path / name) for name in ("c.mp4", "d.mp4")))

    asyncio.run(run())
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert len(list(tmp_path.iterdir())) == 4


IMPORTED = "import sys, transcoder; print(*(name for name in sys.modules if name.partition('.')[0] in ('transcoder', 'httpx', 'asyncio')))"


def test_the_package_imports_nothing_until_it_is_asked() -> None:
    completed = subprocess.run([sys.executable, "-c", IMPORTED], check=True, capture_output=True, text=True, timeout=SECONDS)
    assert completed.stdout.split() == ["transcoder"]


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        ("transcoder.errors.BadRequestError", {"transcoder.errors"}),
        ("from transcoder import errors", {"transcoder.errors"}),
        ("from transcoder.errors import OutputError", {"transcoder.errors"}),
        ("from transcoder import settings", {"transcoder.errors", "transcoder.settings"}),
        ("from transcoder import core", {"transcoder.core"}),
    ],
)
def test_a_module_of_the_package_is_imported_alone(statement: str, more: set[str]) -> None:
    words = [sys.executable, "-c", IMPORTED.replace("transcoder; ", f"transcoder; {statement}; ")]
    completed = subprocess.run(words, check=True, capture_output=True, text=True, timeout=SECONDS)
    assert set(completed.stdout.split()) == {"transcoder", *more}


def test_all_names_can_be_imported_at_once() -> None:
    program = "from transcoder import *; print(save_sync.__module__, errors.__name__, TranscoderError.__name__, __version__ > '0')"
    completed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=SECONDS)
    assert completed.stdout.split() == ["transcoder.api", "transcoder.errors", "TranscoderError", "True"]


def test_the_package_has_what_its_interface_has_and_no_more() -> None:
    from transcoder import api  # noqa: PLC0415  # the tests above use the package alone

    public: list[str] = vars(transcoder)["__getattr__"]("__all__")
    assert set(public) == {*api.__all__, "errors", "__version__"}
    assert all(getattr(transcoder, name) is getattr(api, name) for name in api.__all__)
    assert set(public) <= set(dir(transcoder))
    with pytest.raises(AttributeError, match="no attribute 'resolve'"):
        _ = transcoder.resolve
