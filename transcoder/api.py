"""Transcoder from Python: `await save(url, path)`, `await stream(url, sink)`, `await info(url)`, and the same without `await`.

The names in `__all__` are also those of the package (`from transcoder import save_sync`), beside `transcoder.errors`. Everything else in
the package is private.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Unpack

from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.progress_report import ProgressReport
from transcoder.core.source.info_report import InfoReport, make_report
from transcoder.errors import TranscoderError
from transcoder.local.choices import Choices, PathLike, checked_flag, path_text, read_choices
from transcoder.local.progress import OnProgress, Written, check_watcher
from transcoder.local.saving import Target, save_output
from transcoder.local.sink_output import ByteSink, SinkOutput, checked_sink
from transcoder.local.typed_values import check_type
from transcoder.pipeline.resolver import Resolver
from transcoder.pipeline.subtitles import list_subtitles_if_possible
from transcoder.settings import Settings

__all__ = [
    "ByteSink",
    "Choices",
    "InfoReport",
    "OnProgress",
    "ProgressReport",
    "Saved",
    "Settings",
    "TranscoderError",
    "Written",
    "info",
    "info_sync",
    "save",
    "save_sync",
    "stream",
    "stream_sync",
]


@dataclass(frozen=True, slots=True)
class Saved:
    """An output that is whole."""

    url: str
    """The source, as the caller named it."""
    path: str
    """`-` is standard output."""
    bytes: int
    duration: float | None
    """Seconds of media; None: unknown, as of a file that is saved as it is."""
    seconds: float
    """How long it took."""


async def save(
    url: str,
    path: PathLike | None = None,
    *,
    folder: PathLike | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    settings: Settings | None = None,
    **choices: Unpack[Choices],
) -> Saved:
    """Save a source as one MP4. The file appears only when it is whole; if this fails or is cancelled, nothing is left of it.

    Args:
        url: a playlist or a Reddit link: an http(s) address, a `file:` address, or a path.
        path: None: a name made from the title or the address. Pipes, devices and "-", standard output, get the MP4 while it is made.
        folder: what a relative path is in, which must exist; None: the current folder.
        overwrite: replace a file that exists; otherwise it is an error.
        on_progress: a function that is called before the first and after each piece of the output, and must return soon.
        settings: None: those of the environment (TRANSCODER_…).
        choices: see `Choices`.

    Raises:
        TranscoderError: an argument is invalid (BadRequestError), the source cannot be had, the output not be written (OutputError).
        Exception: whatever `on_progress` raises, as it raises it.

    """
    began = time.monotonic()
    target = Target(path_text("path", path), path_text("folder", folder), checked_flag("overwrite", overwrite))
    written_to, written = await _save(url, target, choices, settings, on_progress)
    return Saved(url, written_to, written.bytes, written.duration, time.monotonic() - began)


async def stream(
    url: str, sink: ByteSink, *, on_progress: OnProgress | None = None, settings: Settings | None = None, **choices: Unpack[Choices]
) -> Written:
    """Write the MP4 of a source into `sink` while it is made, and return what was written once it is whole. `sink` stays open.

    If this raises, what `sink` has is the beginning of an MP4, without the index at its end. With `layout="plain"`, the MP4 is made
    in the temporary folder first, unless any part of it can be read from the origin.

    Args:
        url: as for `save`.
        sink: takes bytes.
        on_progress: as for `save`.
        settings: as for `save`.
        choices: see `Choices`.

    Raises:
        BadRequestError: an argument or a choice is invalid.
        TranscoderError: the source cannot be had.
        Exception: whatever `sink.write` and `on_progress` raise, as they raise it.

    """
    return (await _save(url, Target(given=SinkOutput(checked_sink(sink))), choices, settings, on_progress))[1]


async def info(url: str, *, settings: Settings | None = None, **choices: Unpack[Choices]) -> InfoReport:
    """Return what a source is, and what `save` would select of it with the same choices. No segment is fetched.

    Args:
        url: as for `save`.
        settings: as for `save`.
        choices: see `Choices`.

    Raises:
        BadRequestError: a choice is invalid.
        TranscoderError: the source cannot be had.

    """
    settings = _settings(settings)
    job, origins = read_choices(url, choices, os.environ)
    resolver = Resolver(settings)
    async with origins.fetcher(settings) as fetcher:
        source = await resolver.find(job, fetcher=fetcher)
        resolved = await resolver.resolve(source, job, fetcher=fetcher)
        resolved = await list_subtitles_if_possible(source, resolved, fetcher=fetcher)
    name = file_name(job.filename or source.name, resolved.extension(job))
    return make_report(source, resolved, file_name=name, response_limit=settings.response_limit)


def save_sync(
    url: str,
    path: PathLike | None = None,
    *,
    folder: PathLike | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    settings: Settings | None = None,
    **choices: Unpack[Choices],
) -> Saved:
    """Do what `save` does, where no event loop runs; Ctrl-C leaves nothing either. Raises RuntimeError if one runs in this thread."""
    _refuse_running_loop("save")
    return asyncio.run(save(url, path, folder=folder, overwrite=overwrite, on_progress=on_progress, settings=settings, **choices))


def stream_sync(
    url: str, sink: ByteSink, *, on_progress: OnProgress | None = None, settings: Settings | None = None, **choices: Unpack[Choices]
) -> Written:
    """Do what `stream` does, where no event loop runs. Raises RuntimeError if one runs in this thread."""
    _refuse_running_loop("stream")
    return asyncio.run(stream(url, sink, on_progress=on_progress, settings=settings, **choices))


def info_sync(url: str, *, settings: Settings | None = None, **choices: Unpack[Choices]) -> InfoReport:
    """Do what `info` does, where no event loop runs. Raises RuntimeError if one runs in this thread."""
    _refuse_running_loop("info")
    return asyncio.run(info(url, settings=settings, **choices))


async def _save(
    url: str, target: Target, choices: Choices, settings: Settings | None, on_progress: OnProgress | None
) -> tuple[str, Written]:
    check_watcher(on_progress)
    settings = _settings(settings)
    job, origins = read_choices(url, choices, os.environ)
    return await save_output(job, target, origins=origins, settings=settings, on_progress=on_progress)


def _settings(given: Settings | None) -> Settings:
    check_type("settings", given, Settings | None)
    return given or Settings.from_env(os.environ)


def _refuse_running_loop(name: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"{name}_sync: an event loop runs in this thread, which would stand still; use `await transcoder.{name}(…)`.")
