"""Wheels for another machine than this one, each held against its hash."""

import subprocess
import sys
from pathlib import Path

from infra.packages.target import PYTHON, Target

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def install(requirements: Path, target: Target, folder: Path) -> None:
    """Put the packages listed in `requirements`, with their hashes, into `folder`, not compiled.

    Raises:
        subprocess.CalledProcessError: there is no wheel for `target`, or one has another hash; pip has said which.
    """
    subprocess.run([*_PIP, "install", "--no-compile", "--target", str(folder), *_only(requirements, target)], check=True)


def download(requirements: Path, target: Target, folder: Path) -> Path:
    """Fetch the one wheel that `requirements` names into `folder` and say where it is.

    Raises:
        subprocess.CalledProcessError: there is no such wheel, or it has another hash; pip has said which.
    """
    subprocess.run([*_PIP, "download", "--dest", str(folder), *_only(requirements, target)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _only(requirements: Path, target: Target) -> list[str]:
    """Write the options that keep pip to `target`, whatever it runs on itself."""
    platforms = [option for platform in target.platforms for option in ("--platform", platform)]
    # abi3 and none have to be named: with --abi pip takes those listed and no others.
    abis = [option for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none") for option in ("--abi", abi)]
    interpreter = ["--implementation", "cp", "--python-version", PYTHON, *abis]
    return ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(requirements), *interpreter, *platforms]
