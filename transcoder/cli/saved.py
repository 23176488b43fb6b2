"""What a command says of an output that is whole."""

from transcoder.api import Saved
from transcoder.cli.printing import tell, write_json
from transcoder.core.answer.plain_text import one_line

_MINUTE = 60


def report_saved(saved: Saved, *, as_json: bool, quiet: bool) -> None:
    """Write a line to standard error unless `quiet`, and with `as_json` another to standard output."""
    if as_json:
        write_json(_document(saved))
    if not quiet:
        tell(_sentence(saved))


def _sentence(saved: Saved) -> str:
    media = f", {_duration(saved.duration)} of media" if saved.duration is not None else ""
    path = "standard output" if saved.path == "-" else one_line(saved.path)
    return f"{path}: {saved.bytes / 1e6:.1f} MB{media}, in {saved.seconds:.1f} s"


def _document(saved: Saved) -> dict[str, object]:
    duration = None if saved.duration is None else round(saved.duration, 3)
    return {"url": saved.url, "path": saved.path, "bytes": saved.bytes, "duration": duration, "seconds": round(saved.seconds, 3)}


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
