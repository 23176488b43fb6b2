"""Build the Lambda layer with ffmpeg: `bin/ffmpeg`, its licence, the location of its source code, and a manifest.

The program comes from a wheel that is pinned by its hash. It is not run, so the layer for either architecture can be built on any machine.
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
from infra.packages.target import MAX_UNZIPPED_BYTES, TARGETS, IncompatibleError, Target

_HERE = Path(__file__).resolve().parent
_CONFIGURE_LINE = re.compile(rb"--prefix=/ffbuild/prefix [ -~]+")


def build(target: Target) -> Path:
    """Build the layer for `target`, and return its path.

    Raises:
        IncompatibleError: the program would not run on Lambda.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel = wheels.download(_HERE / f"{target.name}.txt", target, Path(scratch) / "wheel")
        layer = Path(scratch) / "layer"
        program = layer / "bin" / "ffmpeg"
        program.parent.mkdir(parents=True)
        version = _extract_program(wheel, program)
        requirements = elf.check(program, target)
        if requirements is None:
            raise IncompatibleError(f"The ffmpeg in {wheel.name} is not an ELF program.")
        documents = layer / "share" / "ffmpeg"
        documents.mkdir(parents=True)
        for name in ("COPYING.GPLv3", "SOURCE.md"):
            (documents / name).write_bytes((_HERE / name).read_bytes())
        (documents / "manifest.json").write_text(
            json.dumps(_manifest(wheel, program, version, requirements), indent=2) + "\n", encoding="utf-8"
        )
        archive.write_zip(layer, target.layer_zip)
    return target.layer_zip


def _extract_program(wheel: Path, program: Path) -> str:
    """Extract ffmpeg from `wheel` into `program`, and return the version in its file name."""
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if re.search(r"/ffmpeg-linux-\w+-v[\d.]+$", name)]
        if len(names) != 1:
            raise IncompatibleError(f"{wheel.name} contains {len(names)} files that could be ffmpeg, not one.")
        program.write_bytes(opened.read(names[0]))
    program.chmod(0o755)
    return names[0].rpartition("-v")[2]


def _manifest(wheel: Path, program: Path, version: str, requirements: elf.Requirements) -> dict[str, object]:
    content = program.read_bytes()
    configure = _CONFIGURE_LINE.search(content)
    if configure is None:
        raise IncompatibleError("The program does not contain the configure line of its build.")
    return {
        "program": "ffmpeg",
        "version": version,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "configure": configure[0].decode("ascii"),
        "licence": "GPL-3.0-or-later",
        "glibc": ".".join(map(str, requirements.glibc)),
        "libraries": sorted(requirements.libraries),
        "wheel": wheel.name,
        "wheel_sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }


def main() -> int:
    """Build the layer for the architecture on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=TARGETS, default="arm64", help="the architecture of the layer (default: arm64)")
    target = TARGETS[parser.parse_args().arch]
    try:
        layer = build(target)
    except IncompatibleError as error:
        print(error, file=sys.stderr)
        return 1
    size = archive.unpacked_size(layer)
    print(f"{layer}: {layer.stat().st_size:,} bytes, {size:,} unzipped, of {MAX_UNZIPPED_BYTES:,} allowed for function and layers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
