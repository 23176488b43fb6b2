"""The packages unpacked as on Lambda: the function in /var/task, the layer in /opt, and an interpreter without any other packages."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.packages.archive import unpack
from infra.packages.function import WRAPPER
from infra.packages.target import TARGETS, Target

LOCAL_TARGET = next((target for target in TARGETS.values() if platform.machine() in {target.name, target.machine}), None)
"""The target that this machine's processor matches; None if Lambda has no such processor."""

# Hide everything under /var and /opt, because Lambda does not have this machine's files. `exec` keeps the process id.
_RUN_MOUNTED = """
mount -t tmpfs none /var && mkdir /var/task && mount --bind "$1" /var/task && mount --bind "$2" /opt &&
mount -o remount,bind,ro /var/task && mount -o remount,bind,ro /opt && cd /var/task && exec "/var/task/$3" "$4"
"""
_RUN_IN_PLACE = 'cd "$1" && exec "$1/$3" "$4"'
_INTERPRETER = """#!/bin/sh
# No site-packages, neither the system's nor the user's: imports come from the packages or the standard library.
"{python}" -s -S -c 'import sys; print(*sys.path, sep="\\n")' > "{path_file}"
exec "{python}" -s -S "$@"
"""


@dataclass(frozen=True, slots=True)
class UnpackedFunction:
    """A function that is ready to start."""

    command: tuple[str, ...]
    """Starts the wrapper in the function's folder, as Lambda does."""
    environ: dict[str, str]
    task: Path
    """The folder of the function, as the function itself sees it."""
    path_file: Path
    """The file into which the interpreter writes its `sys.path`."""


def python313() -> str | None:
    """Return the path of an interpreter with the managed runtime's Python version; None if this machine has none."""
    on_path = [os.environ.get("PYTHON313"), shutil.which("python3.13")]
    candidates = [*on_path, *map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.13.*/bin/python3.13")))]
    # pyenv may put a python3.13 on the PATH that only reports that another version is selected.
    return next(
        (path for path in candidates if path and subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0), None
    )


def can_mount() -> bool:
    """Tell whether this user may create a private mount namespace."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/var"]
    return shutil.which("unshare") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0


def unpack_packages(target: Target, python: str, folder: Path) -> UnpackedFunction:
    """Unpack the zips for `target` into `folder`, to run with `python`; they appear in /var/task and /opt if this user may mount."""
    task, layer, path_file, interpreter = (folder / name for name in ("task", "layer", "sys.path", "interpreter"))
    unpack(target.function_zip, task)
    unpack(target.layer_zip, layer)
    prefix = subprocess.run([python, "-c", "import sys; print(sys.base_prefix)"], check=True, capture_output=True, text=True).stdout
    interpreter.write_text(_INTERPRETER.format(python=python, path_file=path_file), encoding="utf-8")
    interpreter.chmod(0o755)
    arguments = (str(task), str(layer), WRAPPER, str(interpreter))
    command: tuple[str, ...] = ("sh", "-c", _RUN_IN_PLACE, "sh", *arguments)
    if can_mount() and not str(folder).startswith("/var") and not prefix.startswith(("/opt", "/var")):
        command = ("unshare", "--mount", "sh", "-c", _RUN_MOUNTED, "sh", *arguments)
        task, layer = Path("/var/task"), Path("/opt")
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LAMBDA_TASK_ROOT": str(task),
        "TRANSCODER_FFMPEG": str(layer / "bin" / "ffmpeg"),
        "TRANSCODER_ALLOW_PRIVATE": "1",
    }
    return UnpackedFunction(command, environ, task, path_file)


def packaged_modules(folder: Path) -> Iterator[str]:
    """Yield the paths under `folder` of the project's modules that the function contains."""
    for path in sorted((folder / "transcoder").rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        is_local = name.startswith(("transcoder/cli/", "transcoder/emulator/", "transcoder/local/"))
        if not is_local and name not in {"transcoder/__main__.py", "transcoder/api.py"}:
            yield name
