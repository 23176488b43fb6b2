"""The packages as Lambda lays them out: the function under /var/task, the layer under /opt, and an interpreter that knows nothing else."""

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

HERE = next((target for target in TARGETS.values() if platform.machine() in {target.name, target.machine}), None)
"""What this machine is, where Lambda has such."""

# Everything under /var and /opt is hidden: this machine's own is nothing that Lambda has. The process stays the one that was started.
_MOUNT = """
mount -t tmpfs none /var && mkdir /var/task && mount --bind "$1" /var/task && mount --bind "$2" /opt &&
mount -o remount,bind,ro /var/task && mount -o remount,bind,ro /opt && cd /var/task && exec "/var/task/$3" "$4"
"""
_STAY = 'cd "$1" && exec "$1/$3" "$4"'
_INTERPRETER = """#!/bin/sh
# Neither site-packages nor a user's own: what is imported comes from the packages or the standard library.
"{python}" -s -S -c 'import sys; print(*sys.path, sep="\\n")' > "{said}"
exec "{python}" -s -S "$@"
"""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A function that can be started."""

    command: tuple[str, ...]
    """Starts its wrapper as Lambda does, in its folder."""
    environ: dict[str, str]
    task: Path
    """Where the function lies, as it sees it itself."""
    said: Path
    """Where the interpreter writes its `sys.path`."""


def python313() -> str | None:
    """Say where the managed runtime's version of Python is on this machine."""
    named = [os.environ.get("PYTHON313"), shutil.which("python3.13")]
    known = [*named, *map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.13.*/bin/python3.13")))]
    # pyenv puts a python3.13 on the path that only says that another version is chosen.
    return next(
        (path for path in known if path and subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0), None
    )


def can_mount() -> bool:
    """Say whether this user may have mounts that nobody else sees."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/var"]
    return shutil.which("unshare") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0


def lay_out(target: Target, python: str, folder: Path) -> LaidOut:
    """Unpack the zips for `target` into `folder`, to be run by `python`; under /var/task and /opt where this user may mount."""
    task, layer, said, interpreter = (folder / name for name in ("task", "layer", "sys.path", "interpreter"))
    unpack(target.function_zip, task)
    unpack(target.layer_zip, layer)
    prefix = subprocess.run([python, "-c", "import sys; print(sys.base_prefix)"], check=True, capture_output=True, text=True).stdout
    interpreter.write_text(_INTERPRETER.format(python=python, said=said), encoding="utf-8")
    interpreter.chmod(0o755)
    arguments = (str(task), str(layer), WRAPPER, str(interpreter))
    command: tuple[str, ...] = ("sh", "-c", _STAY, "sh", *arguments)
    if can_mount() and not str(folder).startswith("/var") and not prefix.startswith(("/opt", "/var")):
        command = ("unshare", "--mount", "sh", "-c", _MOUNT, "sh", *arguments)
        task, layer = Path("/var/task"), Path("/opt")
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LAMBDA_TASK_ROOT": str(task),
        "TRANSCODER_FFMPEG": str(layer / "bin" / "ffmpeg"),
        "TRANSCODER_ALLOW_PRIVATE": "1",
    }
    return LaidOut(command, environ, task, said)


def modules(folder: Path) -> Iterator[str]:
    """Name the package's modules that the function has, by their paths under `folder`."""
    for path in sorted((folder / "transcoder").rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(("transcoder/cli/", "transcoder/emulator/")) and name != "transcoder/__main__.py":
            yield name
