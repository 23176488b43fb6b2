"""What the tests of the page share: Chromium, and an emulated function with a few environments."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from conftest import Serve
from peers import browsers
from peers.browsers import Media, Visit, Visits, function_options
from peers.origin import Origin, Rule
from peers.running_emulator import emulated
from playwright.sync_api import Browser

from transcoder.emulator import Options


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(chromium: Browser) -> Iterator[str]:  # noqa: ARG001  # without a browser nothing is started
    """The address of the page."""
    with emulated(function_options()) as running:
        yield running.url + "/"


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Visits]:
    """Return what opens the page in a context of its own, which is closed when the test ends."""
    with ExitStack() as open_visits:

        def begin(url: str = address, *, hash_: str = "", **options: Any) -> Visit:
            defaults = {"viewport": {"width": 390, "height": 844}, "locale": "en-US"}
            context = chromium.new_context(**{**defaults, **options})
            return open_visits.enter_context(Visit(context, url, hash_, has_scripts=options.get("java_script_enabled", True)))

        yield begin


@pytest.fixture
def function(chromium: Browser) -> Iterator[Callable[..., str]]:  # noqa: ARG001  # without a browser nothing is started
    """Return what starts a function with other options, and returns the address of its page."""
    with ExitStack() as running:

        def begin(options: Options | None = None, **changes: Any) -> str:
            return running.enter_context(emulated(replace(options or function_options(), **changes))).url + "/"

        yield begin


@pytest.fixture
def source(media: Media, serve: Serve) -> Origin:
    return serve(media("ts-separate-audio"))


@pytest.fixture
def seems_large(media: Media, serve: Serve) -> Origin:
    """A small source whose playlist announces more than the page keeps in memory."""
    folder = media("ts-separate-audio")
    origin = serve(folder)
    origin.rules["/main.m3u8"] = Rule(body=(folder / "main.m3u8").read_bytes().replace(b"BANDWIDTH=9", b"BANDWIDTH=999"))
    return origin
