"""The frames of packed audio that has tags between them, or after them."""

from collections.abc import Callable

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HeaderReader
from transcoder.core.media.audio_tags import tag_length
from transcoder.errors import UnsupportedSourceError

MAX_TAGS_BETWEEN = 1_000
"""More tags between frames are refused if there are fewer than 1024 bytes for each of them: a few a second are many."""
_BYTES_PER_TAG = 1024


class TaggedAudioFrames(AudioFrameCounter):
    """Counts frames as its base does, and separates them from the tags between them."""

    def __init__(self, read_header: HeaderReader, take_tag: Callable[[bytes], object]) -> None:
        """Begin before the first byte; `take_tag` is called with each tag, after the frames before it have been counted."""
        super().__init__(read_header, self._read_tag)
        self._take_tag = take_tag
        self._tag_count = 0
        self._tags: list[tuple[int, int]] = []
        """Start and end of each tag in the bytes at hand."""
        self._open_tag = bytearray()
        """What has come of a tag that is not there as a whole."""
        self._open_tag_bytes = 0
        """Its length; 0 if there is none."""

    def frames_of(self, data: bytes) -> bytes:
        """Take the next bytes of the stream, as `feed` does, and return those of frames; what may begin a tag is held back.

        Raises what `feed` does, and UnsupportedSourceError if there are too many tags.
        """
        if self._open_tag_bytes:
            self._open_tag += data
            if len(self._open_tag) < self._open_tag_bytes:
                return b""
            data, self._open_tag, self._open_tag_bytes = bytes(self._open_tag), bytearray(), 0
        elif self._carry:
            data = self._carry + data
        self._carry = b""
        self._tags.clear()
        self.feed(data)
        parts, at = [], 0
        for start, end in self._tags:
            parts.append(data[at:start])
            at = end
        parts.append(data[at : len(data) - len(self._carry)])
        if self._open_tag_bytes:
            self._open_tag = bytearray(self._carry)
        return b"".join(parts) if self._tags else parts[0]

    def held_back(self) -> bytes:
        """Return the bytes that have not been returned."""
        return bytes(self._open_tag) if self._open_tag_bytes else self._carry

    def _read_tag(self, data: bytes, at: int) -> int | None:
        """Take the tag at an offset and return its length; 0 if there is none, None if it is not there as a whole."""
        length = tag_length(data, at)
        if not length:
            return length
        if at + length > len(data):
            self._open_tag_bytes = length
            return None
        self._tag_count += 1
        if self._tag_count > MAX_TAGS_BETWEEN + self._bytes // _BYTES_PER_TAG:
            raise UnsupportedSourceError(f"The audio has more than {MAX_TAGS_BETWEEN} tags between its frames, which is not supported.")
        self._take_tag(data[at : at + length])
        self._tags.append((at, at + length))
        return length
