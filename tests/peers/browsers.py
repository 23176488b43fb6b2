"""The system's browsers, and what drives them. A test is skipped if something is missing, or fails if REQUIRE_BROWSER is 1."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Download, Error, Page, Request, sync_playwright

from transcoder.emulator import Options

PACKAGES = Path(__file__).resolve().parents[2] / ".peers" / "browser" / "node_modules"
SECONDS = 60.0
"""The time limit of every wait in a browser."""
_ARGUMENTS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]


def program(name: str) -> str:
    """Return the path of a program."""
    found = shutil.which(name)
    return found or _lacking(f"{name} (on Debian: apt-get install {name})")


def packages() -> Path:
    """Return the folder of the Node packages."""
    return PACKAGES if (PACKAGES / "axe-core" / "axe.min.js").exists() else Path(_lacking("Node packages; `make browsers` installs them"))


def _lacking(requirement: str) -> str:
    reason = f"missing: {requirement}"
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def function_options(**environ: str) -> Options:
    """Return options of a function that may fetch from loopback, in two environments."""
    return Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ATTEMPTS": "2", **environ}, concurrency=2)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window.

    While it runs, this thread cannot run another event loop, so that it must not outlive the tests of the page.
    """
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A visit of the page in a context of its own: it records what the page asks for, and what goes wrong in its script."""

    context: BrowserContext
    address: str
    hash: str = ""
    """What follows the address of the page."""
    has_scripts: bool = True
    page: Page = field(init=False)
    requests: list[str] = field(default_factory=list)
    """Method and address of each request."""
    downloads: list[Download] = field(default_factory=list)
    """The files that the browser was given to save."""
    failures: list[str] = field(default_factory=list)
    """Uncaught errors and violations of the policy."""

    def __enter__(self) -> Self:
        self.context.set_default_timeout(SECONDS * 1000)
        self.page = self.context.new_page()
        self.page.on("request", self._record)
        self.page.on("pageerror", self._fail)
        self.page.on("download", self._keep)
        self.page.on("console", self._listen)
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.context.close()
        if kind is None:
            assert self.failures == []

    def open(self) -> None:
        """Open the page, and wait for its script."""
        self.page.goto(self.address + self.hash)
        if self.has_scripts:
            self.page.wait_for_selector("html[data-ready]")

    def look(self, url: str) -> Page:
        """Type a link, press Enter, and wait for the card."""
        self.page.fill("#address", url)
        self.page.press("#address", "Enter")
        self.page.wait_for_selector("#card:not([hidden])")
        return self.page

    def wait_for(self, condition: str) -> None:
        """Wait until an expression holds. Playwright's own waiting evaluates texts in the page, which its policy forbids."""
        ends = time.monotonic() + SECONDS
        while not self.page.evaluate(condition):
            assert time.monotonic() < ends, f"{condition}: {self.page.inner_text('main')}"
            self.page.wait_for_timeout(50)

    def choose(self, name: str, value: str) -> None:
        """Choose something in the card, and wait until the card shows it."""
        with self.page.expect_response(lambda response: "/info?" in response.url):
            self.page.locator(f"input[name={name}][value='{value}']").check(force=True)
        self.page.wait_for_selector("#summary:not(.stale)")

    def save(self, into: Path, *, button: str = "#save") -> bytes:
        """Press a button, wait for the file, and return it."""
        with self.page.expect_download(timeout=SECONDS * 1000) as download:
            self.page.click(button)
        download.value.save_as(into)
        return into.read_bytes()

    def problem(self) -> str:
        """Wait for a problem, and return its sentence."""
        self.page.wait_for_selector("#problem:not([hidden])")
        return self.page.inner_text("#problemSays")

    def asked(self, method: str, path: str) -> list[str]:
        """Return the requests for a path so far."""
        return [each for each in self.requests if each.startswith(f"{method} {self.address.rstrip('/')}{path}")]

    def _record(self, request: Request) -> None:
        if not request.url.startswith(("blob:", "data:")):
            self.requests.append(f"{request.method} {request.url}")

    def _keep(self, download: Download) -> None:
        self.downloads.append(download)

    def _fail(self, error: Error) -> None:
        self.failures.append(str(error))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text and "net::ERR" not in message.text:
            self.failures.append(message.text)


Media = Callable[[str], Path]
Visits = Callable[..., Visit]
