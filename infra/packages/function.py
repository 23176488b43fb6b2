"""Makes the function's package: the transcoder without its command line, and what it imports, compiled by the runtime's own Python."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.packages import archive, elf, wheels
from infra.packages.target import LIMIT, PYTHON, TARGETS, Target, UnfitError

ROOT = Path(__file__).resolve().parents[2]
WRAPPER = "transcoder-wrapper"
"""What `AWS_LAMBDA_EXEC_WRAPPER` names: the file that has the managed Python run the transcoder's own runtime."""
_LEFT_OUT = ("cli", "emulator", "__main__.py")
"""What of the package has no use on Lambda."""


def build(target: Target, python: str) -> Path:
    """Make the package for `target` with the interpreter `python`, and say where it is.

    Raises:
        UnfitError: `python` is not the runtime's version, or a dependency would not run there.
        subprocess.CalledProcessError: a dependency cannot be had, or a file cannot be compiled; what failed has said why.
    """
    _check_python(python)
    with tempfile.TemporaryDirectory() as scratch:
        task = Path(scratch) / "task"
        wheels.install(ROOT / "requirements" / "lambda.txt", target, task)
        _thin(task)
        shutil.copytree(ROOT / "transcoder", task / "transcoder", ignore=shutil.ignore_patterns("__pycache__", *_LEFT_OUT))
        shutil.copy(Path(__file__).with_name(WRAPPER), task / WRAPPER)
        (task / WRAPPER).chmod(0o755)
        for path in task.rglob("*"):
            if path.is_file():
                elf.check(path, target)
        _compile(task, python)
        archive.write_zip(task, target.function_zip)
    return target.function_zip


def _check_python(python: str) -> None:
    asked = f"make package PYTHON{PYTHON.replace('.', '')}=/path/to/python{PYTHON}"
    if not python:
        raise UnfitError(f"The package is compiled by Python {PYTHON}, and none was found; name one: {asked}")
    version = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        said = subprocess.run([python, "-I", "-c", version], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnfitError(f"{python} cannot be run as Python {PYTHON}; name another: {asked}") from error
    if said != PYTHON:
        raise UnfitError(f"{python} is Python {said}, not {PYTHON}; name another: {asked}")


def _thin(task: Path) -> None:
    """Take out what is not imported: the packages' own tests and commands, and the notes of the installing."""
    for folder in [*task.rglob("tests"), *task.rglob("test"), task / "bin"]:
        shutil.rmtree(folder, ignore_errors=True)
    for note in [*task.rglob("RECORD"), *task.rglob("INSTALLER"), *task.rglob("REQUESTED")]:
        note.unlink()


def _compile(task: Path, python: str) -> None:
    """Compile all modules so that the same sources give the same bytes, and no start spends time on it; /var/task is read-only."""
    # Not held against their sources: a zip keeps no times that could be compared. One process and one hash seed, for the same order.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PYTHONHASHSEED": "0"}
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(task), "-p", "/var/task", "-q", "-j", "1"]
    subprocess.run([python, "-s", "-W", "ignore::SyntaxWarning", "-m", "compileall", *options, str(task)], check=True, env=environ)


def sizes(made: Path, layer: Path, *, limit: int = LIMIT) -> str:
    """Say how large the package `made` is, and with the layer, if that is there.

    Raises:
        UnfitError: together they are larger than the `limit` of bytes that Lambda takes, laid out.
    """
    size = archive.unpacked_size(made)
    with_layer = size + archive.unpacked_size(layer) if layer.exists() else None
    if (with_layer or size) > limit:
        raise UnfitError(f"{made.name} and the layer are {with_layer or size:,} bytes laid out; Lambda takes {limit:,}.")
    together = f"{with_layer:,} with the layer" if with_layer else f"without {layer.name}, which is not there yet"
    return f"{made}: {made.stat().st_size:,} bytes, {size:,} laid out, {together}, of {limit:,} allowed"


def main() -> int:
    """Make the package that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, default="arm64")
    parser.add_argument("--python", default="", help=f"an interpreter of Python {PYTHON}")
    options = parser.parse_args()
    target = TARGETS[options.arch]
    try:
        print(sizes(build(target, options.python), target.layer_zip))
    except UnfitError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
