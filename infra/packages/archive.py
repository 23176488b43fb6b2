"""Reproducible zips: the same files give the same bytes, at any time and on any machine."""

import stat
import zipfile
from pathlib import Path

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_LEVEL = 6
_UNIX = 3


def write_zip(folder: Path, target: Path) -> None:
    """Zip the files under `folder`. Of their modes only the executable bit is kept; their times are not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, path in files:
            archive.writestr(_entry(name, executable=bool(path.stat().st_mode & stat.S_IXUSR)), path.read_bytes(), compresslevel=_LEVEL)
    unfinished.replace(target)


def _entry(name: str, *, executable: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX  # otherwise the modes are ignored
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    return entry


def unpack(archive: Path, folder: Path) -> None:
    """Unzip `archive` into `folder` as Lambda does, with the files' modes, which `zipfile` itself does not set."""
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            path = Path(opened.extract(entry, folder))
            if not entry.is_dir():
                path.chmod(entry.external_attr >> 16 & 0o777)


def unpacked_size(archive: Path) -> int:
    """Return the total size of the files in `archive`, unzipped, in bytes."""
    with zipfile.ZipFile(archive) as opened:
        return sum(entry.file_size for entry in opened.infolist())
