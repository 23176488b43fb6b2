"""Build the function's package: the transcoder without its command line, and its dependencies, compiled by the runtime's Python version."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.packages import archive, elf, wheels
from infra.packages.target import MAX_UNZIPPED_BYTES, PYTHON_VERSION, TARGETS, IncompatibleError, Target

ROOT = Path(__file__).resolve().parents[2]
WRAPPER = "transcoder-wrapper"
"""The script that `AWS_LAMBDA_EXEC_WRAPPER` names: it lets the managed Python run the transcoder's own runtime."""
_EXCLUDED = frozenset({"cli", "emulator", "local", "api.py", "__main__.py"})
"""The parts of the package that are not used on Lambda."""


def build(target: Target, python: str) -> Path:
    """Build the package for `target` with the interpreter `python`, and return its path.

    Raises:
        IncompatibleError: `python` does not have the runtime's version, or a dependency would not run on Lambda.
        subprocess.CalledProcessError: a dependency is not available, or a file does not compile; the failed program has printed why.
    """
    check_python(python)
    with tempfile.TemporaryDirectory() as scratch:
        task = Path(scratch) / "task"
        wheels.install(ROOT / "requirements" / "lambda.txt", target, task)
        _remove_unused(task)
        shutil.copytree(ROOT / "transcoder", task / "transcoder", ignore=_unused_on_lambda)
        shutil.copy(Path(__file__).with_name(WRAPPER), task / WRAPPER)
        (task / WRAPPER).chmod(0o755)
        for path in task.rglob("*"):
            if path.is_file():
                elf.check(path, target)
        _compile(task, python)
        archive.write_zip(task, target.function_zip)
    return target.function_zip


def _unused_on_lambda(folder: str, _names: list[str]) -> frozenset[str]:
    """Return what is not copied of a folder of the package."""
    return (_EXCLUDED if Path(folder) == ROOT / "transcoder" else frozenset()) | {"__pycache__"}


def check_python(python: str) -> None:
    """Check that `python` is the path of an interpreter with the managed runtime's version.

    Raises:
        IncompatibleError: it is not.
    """
    usage = f"make package PYTHON{PYTHON_VERSION.replace('.', '')}=/path/to/python{PYTHON_VERSION}"
    if not python:
        raise IncompatibleError(f"Python {PYTHON_VERSION} compiles the package, and no such interpreter was found; name one: {usage}")
    command = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        version = subprocess.run([python, "-I", "-c", command], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise IncompatibleError(f"{python} cannot be run as Python {PYTHON_VERSION}; name another: {usage}") from error
    if version != PYTHON_VERSION:
        raise IncompatibleError(f"{python} is Python {version}, not {PYTHON_VERSION}; name another: {usage}")


def _remove_unused(task: Path) -> None:
    """Remove what is never imported: the dependencies' tests and commands, and pip's installation records."""
    for folder in [*task.rglob("tests"), *task.rglob("test"), task / "bin"]:
        shutil.rmtree(folder, ignore_errors=True)
    for record in [*task.rglob("RECORD"), *task.rglob("INSTALLER"), *task.rglob("REQUESTED")]:
        record.unlink()


def _compile(task: Path, python: str) -> None:
    """Compile all modules reproducibly, so that a cold start does not have to; /var/task is read-only."""
    # Unchecked, because a zip keeps no times to compare with the sources. One process and one hash seed give the same order every time.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PYTHONHASHSEED": "0"}
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(task), "-p", "/var/task", "-q", "-j", "1"]
    subprocess.run([python, "-s", "-W", "ignore::SyntaxWarning", "-m", "compileall", *options, str(task)], check=True, env=environ)


def size_report(function: Path, layer: Path, *, limit: int = MAX_UNZIPPED_BYTES) -> str:
    """Return a line about the size of the package, alone and with the layer, if that exists.

    Raises:
        IncompatibleError: unzipped, they are together larger than `limit` bytes, which is Lambda's limit.
    """
    size = archive.unpacked_size(function)
    with_layer = size + archive.unpacked_size(layer) if layer.exists() else None
    if (with_layer or size) > limit:
        raise IncompatibleError(f"{function.name} and the layer are {with_layer or size:,} bytes unzipped; Lambda's limit is {limit:,}.")
    together = f"{with_layer:,} with the layer" if with_layer else f"without {layer.name}, which does not exist yet"
    return f"{function}: {function.stat().st_size:,} bytes, {size:,} unzipped, {together}, of {limit:,} allowed"


def main() -> int:
    """Build the package for the architecture on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, default="arm64", help="the architecture of the function (default: arm64)")
    parser.add_argument("--python", default="", help=f"path of a Python {PYTHON_VERSION} interpreter")
    options = parser.parse_args()
    target = TARGETS[options.arch]
    try:
        print(size_report(build(target, options.python), target.layer_zip))
    except IncompatibleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
