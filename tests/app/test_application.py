"""What is imported when the application opens, and what later."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from transcoder import app
from transcoder.app.application import LATER
from transcoder.errors import TranscodeError
from transcoder.settings import Settings

PACKAGE = Path(app.__file__).parent
OPEN = """
import asyncio, sys
from transcoder import app
from transcoder.settings import Settings

async def main():
    async with app.application(Settings()):
        print(*sys.modules)
    app.import_later_routes()
    print(*sys.modules)

asyncio.run(main())
"""


def test_some_routes_are_imported_later_and_a_snapshot_has_all_of_them() -> None:
    completed = subprocess.run([sys.executable, "-c", OPEN], check=True, capture_output=True, text=True, timeout=60)
    opened, later = (set(line.split()) for line in completed.stdout.splitlines())
    routes = {f"transcoder.app.{path.stem}" for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    assert "transcoder.app.download" in opened
    assert not opened & set(LATER)
    assert routes <= later


def test_an_ffmpeg_that_does_not_work_is_a_failure_of_its_own() -> None:
    async def test() -> None:
        async with app.application(Settings(ffmpeg="/no/such/program")):
            pass

    with pytest.raises(TranscodeError, match="cannot be run as ffmpeg"):
        asyncio.run(test())
