"""Writes subtitles as one text."""

import re

from transcoder.core.media.character_references import unescape
from transcoder.core.media.subtitles.webvtt import WebVtt

# SubRip knows bold, italic and underlined; WebVTT's classes, voices, languages, ruby and timestamps it would show as text.
_KEPT_TAG = re.compile(r"<(/?[biu])(?:[.\s][^<>]*)?>")
_OTHER_TAG = re.compile(r"<(?!/?[biu]>)[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")
_MS_PER_MINUTE, _MS_PER_HOUR = 60_000, 3_600_000


def write_webvtt(subtitles: WebVtt) -> str:
    """Return subtitles as WebVTT."""
    blocks = ["WEBVTT", *subtitles.blocks]
    for cue in subtitles.cues:
        timing = f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}" + (f" {cue.settings}" if cue.settings else "")
        blocks.append("\n".join([*([cue.identifier] if cue.identifier else []), timing, cue.text]))
    return "\n\n".join(blocks) + "\n"


def write_subrip(subtitles: WebVtt) -> str:
    """Return subtitles as SubRip (SRT), which has neither styles nor positions; cues without any text are left out."""
    texts = [(cue, _plain(cue.text)) for cue in subtitles.cues]
    numbered = enumerate(((cue, text) for cue, text in texts if text), 1)
    blocks = [f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{text}\n" for number, (cue, text) in numbered]
    return "\n".join(blocks)


def _plain(text: str) -> str:
    """Return a cue's text without what SubRip does not know, and without blank lines, which would end the cue."""
    plain = unescape(_OTHER_TAG.sub("", _KEPT_TAG.sub(r"<\1>", text)))
    return "\n".join(line for line in plain.splitlines() if _TAG.sub("", line).strip())


def _time(seconds: float, separator: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, _MS_PER_HOUR)
    minutes, rest = divmod(rest, _MS_PER_MINUTE)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{separator}{rest % 1000:03}"
