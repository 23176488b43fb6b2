"""The architectures of Lambda, with their names in wheels and ELF files, and the limits of its managed runtime."""

from dataclasses import dataclass
from pathlib import Path

PYTHON_VERSION = "3.13"
"""The Python version of the managed runtime."""
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
"""The maximum size of a function and its layers together, unzipped. Source: AWS Lambda developer guide, "Lambda quotas"."""
AMAZON_LINUX_GLIBC = (2, 34)
"""The glibc version of Amazon Linux 2023, on which the managed runtime is based."""
DIST = Path(__file__).resolve().parents[2] / "dist"
"""The folder for the zips."""


class IncompatibleError(Exception):
    """An interpreter, a wheel or a program cannot be part of a package that runs on Lambda; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An architecture that a function can run on."""

    name: str
    """The name that Lambda uses, and that the files in `dist` have."""
    machine: str
    """The name in wheel tags and in the output of `uname -m`."""
    elf_machine: str
    """The name in ELF headers."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of compatible wheels; a package has wheels with one or another."""
        return (f"manylinux_2_28_{self.machine}", f"manylinux_2_17_{self.machine}", f"manylinux2014_{self.machine}")

    @property
    def function_zip(self) -> Path:
        """The path of the function's package."""
        return DIST / f"function-{self.name}.zip"

    @property
    def layer_zip(self) -> Path:
        """The path of the layer with ffmpeg."""
        return DIST / f"ffmpeg-layer-{self.name}.zip"


TARGETS = {
    "arm64": Target(name="arm64", machine="aarch64", elf_machine="EM_AARCH64"),
    "x86_64": Target(name="x86_64", machine="x86_64", elf_machine="EM_X86_64"),
}
