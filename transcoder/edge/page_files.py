"""Reads the files of the web page, which lie in the package."""

from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[1] / "page"


def read_page_files() -> dict[str, bytes]:
    """Return the files by their names, such as `page.js` and `words/en.json`."""
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in sorted(_FOLDER.rglob("*")) if path.is_file()}
