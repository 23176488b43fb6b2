"""Install and download wheels for another machine than this one, with their hashes verified."""

import subprocess
import sys
from pathlib import Path

from infra.packages.target import PYTHON_VERSION, Target

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def install(requirements: Path, target: Target, folder: Path) -> None:
    """Install the packages listed in `requirements`, with their hashes, into `folder`, without compiling them.

    Raises:
        subprocess.CalledProcessError: there is no wheel for `target`, or its hash differs; pip has printed which.
    """
    subprocess.run([*_PIP, "install", "--no-compile", "--target", str(folder), *_options(requirements, target)], check=True)


def download(requirements: Path, target: Target, folder: Path) -> Path:
    """Download the one wheel that `requirements` lists into `folder`, and return its path.

    Raises:
        subprocess.CalledProcessError: there is no such wheel, or its hash differs; pip has printed which.
    """
    subprocess.run([*_PIP, "download", "--dest", str(folder), *_options(requirements, target)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _options(requirements: Path, target: Target) -> list[str]:
    """Return the options that restrict pip to wheels for `target`, whatever machine pip runs on."""
    platforms = [option for platform in target.platforms for option in ("--platform", platform)]
    # abi3 and none must be listed: with --abi, pip accepts only the listed ABIs.
    abis = [option for abi in (f"cp{PYTHON_VERSION.replace('.', '')}", "abi3", "none") for option in ("--abi", abi)]
    interpreter = ["--implementation", "cp", "--python-version", PYTHON_VERSION, *abis]
    return ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(requirements), *interpreter, *platforms]
