"""Text files that the user names: lists of sources, cookies, the configuration."""

from pathlib import Path

from transcoder.errors import BadRequestError


def read_text(path: str, about: str | None = None) -> str:
    """Return the text in a file, which may begin with a byte order mark; messages begin with `about`, by default the path.

    Raises:
        BadRequestError: the file cannot be read, or is not UTF-8.

    """
    try:
        return text_of(Path(path).read_bytes(), about or path)
    except (OSError, ValueError) as error:  # ValueError: the path has a NUL
        raise BadRequestError(f"{about or path}: {error.strerror if isinstance(error, OSError) else error}.") from error


def text_of(content: bytes, about: str) -> str:
    """Return the text in the bytes of a file; raises what `read_text` does."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadRequestError(f"{about}: it is not a text in UTF-8; see line {line}.") from error
