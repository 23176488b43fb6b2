"""The page's script, checked without a browser."""

import subprocess
from pathlib import Path

from peers.browsers import packages, program

import transcoder

SCRIPT = Path(transcoder.__file__).parent / "page" / "page.js"


def test_the_types_of_the_script_hold() -> None:
    compiler = packages() / "typescript" / "bin" / "tsc"
    options = [
        "--noEmit",
        "--checkJs",
        "--allowJs",
        "--strict",
        "--target",
        "es2022",
        "--moduleDetection",
        "force",
        "--module",
        "es2022",
        "--lib",
        "es2023,dom,dom.iterable",
    ]
    done = subprocess.run([program("node"), str(compiler), *options, str(SCRIPT)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
