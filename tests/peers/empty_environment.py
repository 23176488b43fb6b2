"""A virtual environment that has only what a wheel requires: this project is in it as it is for those who install it.

Its packages are links to those of the environment of the tests, since nothing can be fetched here; pip checks that all are there.
"""

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this project from a copy of what a clone has, and return its path."""
    source = folder / "source"
    shutil.copytree(ROOT / "transcoder", source / "transcoder", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder))
    subprocess.run([*_PIP, "wheel", *options, str(source)], check=True, timeout=SECONDS)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, *, without: frozenset[str] = frozenset()) -> Path:
    """Install a wheel into a new environment with its requirements but `without` some, and return its folder of programs.

    Raises:
        subprocess.CalledProcessError: pip misses a requirement, and has printed which.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=SECONDS)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in _required(wheel) - without:
        for top in {file.parts[0] for file in distribution(name).files or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    python = str(folder / "bin" / "python")
    subprocess.run([*_PIP, "--python", python, "install", "--no-index", str(wheel)], check=True, timeout=SECONDS)
    return folder / "bin"


def _required(wheel: Path) -> set[str]:
    """Return the names of everything that a wheel requires without its extras, directly or not."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    found = set[str]()
    waiting = [line.partition(":")[2].strip() for line in lines if line.startswith("Requires-Dist:")]
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(requirement.name)
        waiting += distribution(requirement.name).requires or ()
    return found
