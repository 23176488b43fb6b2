"""Whether the name of an output says what is written."""

from pathlib import Path

from transcoder.core.request.output_format import FileFormat
from transcoder.errors import ContradictionError

_FITTING = {FileFormat.MP4: {"mp4", "m4v"}, FileFormat.M4A: {"m4a", "m4b", "mp4"}, FileFormat.MP3: {"mp3"}}
"""Extensions, by what is written."""
_OTHERS = {"mkv", "mka", "webm", "mov", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "flv", "wmv", "3gp", "ogv"}
_OTHER_AUDIO = {"ogg", "oga", "opus", "aac", "ac3", "flac", "wav", "wma"}
_MEDIA = _OTHERS.union(_OTHER_AUDIO, *_FITTING.values())
"""Extensions of media files; any other one is the user's own, and says nothing about what is in the file."""


def check_output_name(path: str, file_format: FileFormat) -> None:
    """Refuse the name of a file whose extension promises another format, which a player or an upload would believe.

    Raises:
        ContradictionError: it does; the message says what to write instead.

    """
    name = Path(path)
    extension = name.suffix[1:].lower()
    if extension not in _MEDIA or extension in _FITTING.get(file_format, _MEDIA):
        return
    instead = next((each for each, fitting in _FITTING.items() if extension in fitting), None)
    if instead:
        remedy = f"use --format {instead.value}" if instead is not FileFormat.MP4 else f"leave out --format {file_format.value}"
    else:
        remedy = f"name it {name.with_suffix('.' + file_format.value)}"
    raise ContradictionError(f"-o {path}: {file_format.value.upper()} is written, not {extension.upper()}; {remedy}.", "output", "format")
