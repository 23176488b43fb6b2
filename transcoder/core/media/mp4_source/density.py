"""How many fragments and samples a source may have: each of them takes far more time than its bytes are worth."""

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.movie import MAX_PROTECTION_BOXES, protection_boxes
from transcoder.errors import UnsupportedSourceError

MAX_FRAGMENTS = 1_000
"""More fragments are refused if they have less than 128 bytes on average, with their media. Its boxes alone take a hundred."""
MAX_RUNS = 6_000
"""More track fragments and track runs are refused if they have less than 40 bytes on average, with their media: a `trun` takes 28."""
MAX_SAMPLES = 200_000
"""More samples are refused if they have less than 4 bytes on average. Only silence has so few, and not for hours."""
_BYTES_PER_FRAGMENT, _BYTES_PER_RUN, _BYTES_PER_SAMPLE = 128, 40, 4


class FragmentDensity:
    """Compares the number of fragments of a track with their bytes."""

    def __init__(self) -> None:
        """Begin before the first fragment."""
        self._fragments = self._runs = self._bytes = self._samples = self._sample_bytes = self._protection_boxes = 0

    def add_media(self, count: int) -> None:
        """Take so many bytes of media."""
        self._bytes += count

    def add_box(self, box: Box) -> None:
        """Take the next box of a segment. Raises what `add` does."""
        if box.type == b"mdat":
            self.add_media(box.end - box.start)
        elif box.type == b"moof":
            self.add(box)

    def add(self, moof: Box) -> None:
        """Take the next fragment.

        Raises:
            UnsupportedSourceError: there are too many small ones, or too many `pssh` boxes in them.
        """
        self._fragments += 1
        self._bytes += moof.end - moof.start
        # Letters that are no box count, too, but there are none in numbers of samples. Counting this way costs next to nothing.
        self._runs += moof.data.count(b"traf", moof.start, moof.end) + moof.data.count(b"trun", moof.start, moof.end)
        if self._fragments > MAX_FRAGMENTS + self._bytes // _BYTES_PER_FRAGMENT:
            raise _too_dense(f"{MAX_FRAGMENTS} fragments", _BYTES_PER_FRAGMENT)
        if self._runs > MAX_RUNS + self._bytes // _BYTES_PER_RUN:
            raise _too_dense(f"{MAX_RUNS} track fragments and track runs", _BYTES_PER_RUN)

        self._protection_boxes += protection_boxes(moof)
        if self._protection_boxes > MAX_PROTECTION_BOXES:
            raise UnsupportedSourceError(f"The source has more than {MAX_PROTECTION_BOXES} pssh boxes, which is not supported.")

    def add_samples(self, count: int, size: int) -> None:
        """Take so many samples of `size` bytes together.

        Raises:
            UnsupportedSourceError: there are too many small ones.
        """
        self._samples, self._sample_bytes = self._samples + count, self._sample_bytes + size
        if self._samples > MAX_SAMPLES + self._sample_bytes // _BYTES_PER_SAMPLE:
            raise _too_dense(f"{MAX_SAMPLES} samples", _BYTES_PER_SAMPLE)


def _too_dense(what: str, size: int) -> UnsupportedSourceError:
    return UnsupportedSourceError(f"The source has more than {what} of less than {size} bytes on average, which is not supported.")
