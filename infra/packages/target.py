"""The processors that Lambda has, and what they are called elsewhere."""

from dataclasses import dataclass
from pathlib import Path

PYTHON = "3.13"
"""The managed runtime's version."""
LIMIT = 250 * 1024 * 1024
"""How large a function and its layers may be together, unzipped. Source: AWS Lambda developer guide, "Lambda quotas"."""
LIBC = (2, 34)
"""The C library of Amazon Linux 2023, which the managed runtime stands on."""
DIST = Path(__file__).resolve().parents[2] / "dist"
"""Where the zips are put."""


class UnfitError(Exception):
    """What was fetched or named cannot be made into a package that runs; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A processor that a function can run on."""

    name: str
    """As Lambda has it, and the files in `dist`."""
    machine: str
    """As wheels and `uname -m` have it."""
    elf: str
    """As ELF headers have it."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """The tags of wheels that run there; a package brings one or the other."""
        return (f"manylinux_2_28_{self.machine}", f"manylinux_2_17_{self.machine}", f"manylinux2014_{self.machine}")

    @property
    def function_zip(self) -> Path:
        """Where the function's package is put."""
        return DIST / f"function-{self.name}.zip"

    @property
    def layer_zip(self) -> Path:
        """Where the layer with ffmpeg is put."""
        return DIST / f"ffmpeg-layer-{self.name}.zip"


TARGETS = {
    "arm64": Target(name="arm64", machine="aarch64", elf="EM_AARCH64"),
    "x86_64": Target(name="x86_64", machine="x86_64", elf="EM_X86_64"),
}
