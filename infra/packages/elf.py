"""What a compiled file requires of the machine that runs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from infra.packages.target import AMAZON_LINUX_GLIBC, IncompatibleError, Target

_MAGIC = b"\x7fELF"
_RUNTIME_LIBRARIES = {
    *("libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1", "libgcc_s.so.1"),
    *("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2"),
}
"""The shared libraries of the managed runtime's Amazon Linux 2023: glibc's own, and libgcc."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """The requirements of one compiled file."""

    machine: str
    """The processor, as ELF names it: `EM_X86_64`."""
    libraries: tuple[str, ...]
    """The file names of the shared libraries."""
    glibc: tuple[int, ...]
    """The minimum version of glibc; empty if the file does not use it."""


def requirements(path: Path) -> Requirements | None:
    """Return the requirements of the file at `path`, or None if it is not a compiled file."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return None
        elf = ELFFile(file)
        libraries = [
            str(tag.needed)  # type: ignore[attr-defined]  # set as the tag is read
            for section in elf.iter_sections()
            if isinstance(section, DynamicSection)
            for tag in section.iter_tags()
            if tag.entry.d_tag == "DT_NEEDED"
        ]
        return Requirements(str(elf["e_machine"]), tuple(libraries), max(_glibc_versions(elf), default=()))


def _glibc_versions(elf: ELFFile) -> Iterator[tuple[int, ...]]:
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                names = [str(version.name) for version in versions]
                yield from (tuple(map(int, name.removeprefix("GLIBC_").split("."))) for name in names if name.startswith("GLIBC_2"))


def check(path: Path, target: Target) -> Requirements | None:
    """Check that the managed runtime on `target` can run the file at `path`; return its requirements, or None if it is not a compiled file.

    Raises:
        IncompatibleError: the file would not run there.
    """
    required = requirements(path)
    if required is None:
        return None
    if required.machine != target.elf_machine:
        raise IncompatibleError(f"{path.name} is built for {required.machine}, not for {target.name}.")
    if required.glibc > AMAZON_LINUX_GLIBC:
        raise IncompatibleError(f"{path.name} needs glibc {_dotted(required.glibc)}; Amazon Linux 2023 has {_dotted(AMAZON_LINUX_GLIBC)}.")
    if missing := set(required.libraries) - _RUNTIME_LIBRARIES:
        raise IncompatibleError(f"{path.name} needs {', '.join(sorted(missing))}, which the managed runtime does not have.")
    return required


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
