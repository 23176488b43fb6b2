"""What a compiled file needs from the machine that it runs on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from infra.packages.target import LIBC, Target, UnfitError

_MAGIC = b"\x7fELF"
_PRESENT = {
    *("libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1", "libgcc_s.so.1"),
    *("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2"),
}
"""What the managed runtime's Amazon Linux 2023 has: glibc's own libraries, and libgcc."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one file needs."""

    machine: str
    """The processor, as ELF has it: `EM_X86_64`."""
    libraries: tuple[str, ...]
    """Shared libraries, by their file names."""
    libc: tuple[int, ...]
    """The oldest version of glibc that will do; empty if it is not used."""


def needs(path: Path) -> Needs | None:
    """Read what the file at `path` needs, or None if it is no compiled file."""
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
        return Needs(str(elf["e_machine"]), tuple(libraries), max(_libc_versions(elf), default=()))


def _libc_versions(elf: ELFFile) -> Iterator[tuple[int, ...]]:
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                names = [str(version.name) for version in versions]
                yield from (tuple(map(int, name.removeprefix("GLIBC_").split("."))) for name in names if name.startswith("GLIBC_2"))


def check(path: Path, target: Target) -> Needs | None:
    """Read what the file at `path` needs, and hold it against what the managed runtime has; None if it is no compiled file.

    Raises:
        UnfitError: it would not run there.
    """
    found = needs(path)
    if found is None:
        return None
    if found.machine != target.elf:
        raise UnfitError(f"{path.name} is made for {found.machine}, not for {target.name}.")
    if found.libc > LIBC:
        raise UnfitError(f"{path.name} needs glibc {found.libc}; Amazon Linux 2023 has {LIBC}.")
    if absent := set(found.libraries) - _PRESENT:
        raise UnfitError(f"{path.name} needs {', '.join(sorted(absent))}, which the managed runtime does not have.")
    return found
