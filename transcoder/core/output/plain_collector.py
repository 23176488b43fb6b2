"""Makes a plain MP4 of a fragmented one while that passes: the media go on, the samples are kept, and the `moov` is written at the end."""

from collections import defaultdict
from heapq import nlargest

from transcoder.core.media.mp4.box_reader import BoxStart
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import SampleRun
from transcoder.core.media.mp4.movie import Track
from transcoder.core.media.mp4.plain_movie import PlainMovie, PlainTrack, write_movie_before, write_plain_movie
from transcoder.core.media.mp4.track_samples import MAX_DURATION, Place, SampleOverlapError, TrackSamples
from transcoder.core.media.slide import MIN_SLIDE_SECONDS
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, TrackRun, read_fragment
from transcoder.core.output.header import OutputHeader, read_header
from transcoder.core.output.output_boxes import broken_as, output_reader
from transcoder.errors import PlainLayoutError, TranscodeError

MAX_COLLECTED_SAMPLES = 4_000_000
"""More samples are not kept: each takes 16 bytes of memory, and these are ten hours at 60 pictures a second."""
_M4A_BRAND = b"M4A "


class PlainCollector:
    """Takes an MP4 as `Joiner` makes it, in pieces of any size. Its media are resource 0 of the plain MP4, and kept by the caller.

    Memory holds its `moov`, one `moof`, and 16 bytes a sample.
    """

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._reader = output_reader()
        self._brand = b"isom"
        self._header: OutputHeader | None = None
        self._fragment: Fragment | None = None
        self._samples: defaultdict[int, TrackSamples] = defaultdict(TrackSamples)
        """By track_ID."""
        self._count = 0
        self._media_bytes = 0
        """How many bytes of media have been returned, or are about to be."""
        self._is_whole = False

    @property
    def seconds(self) -> float:
        """Up to which second of the output samples have been taken."""
        tracks = self._header.movie.tracks if self._header else ()
        return max((self._samples[track.id].end / track.timescale for track in tracks if track.timescale), default=0.0)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece; return the media in it, which lie one after another in their resource.

        Raises:
            TranscodeError: the MP4 is broken.
            PlainLayoutError: it has too many samples.
        """
        media = []
        with broken_as("The MP4"):
            for event in self._reader.feed(piece):
                if isinstance(event, Box):
                    self._take(event)
                elif isinstance(event, BoxStart):
                    self._place(event)
                else:
                    media.append(event)
        return media

    def finish(self) -> PlainMovie:
        """Return the plain MP4, now that the fragmented one has ended.

        Raises:
            TranscodeError: it is not whole.
        """
        with broken_as("The MP4"):
            tracks, user_data = self._end()
            return write_plain_movie(tracks, brand=self._brand, user_data=user_data)

    def finish_in_place(self) -> PlainMovie:
        """Return the plain MP4 as `finish` does, but with all media in the order in which they were returned. Raises what `finish` does."""
        with broken_as("The MP4"):
            tracks, user_data = self._end()
            return write_movie_before(tracks, self._media_bytes, brand=self._brand, user_data=user_data)

    def _end(self) -> tuple[list[PlainTrack], bytes]:
        """Return the tracks of the plain MP4, and its `udta`."""
        self._reader.end()
        if self._header is None or not self._is_whole:
            raise TranscodeError("The MP4 has no index at its end: it is not whole.")
        movie = self._header.movie
        user_data = movie.box.find(b"udta")
        kept = [(track, self._samples[track.id]) for track in movie.tracks if self._samples[track.id].sizes]
        for track, samples in kept:
            if track.medium is Medium.VIDEO:
                _keep_last_slide(samples, track)
        tracks = [PlainTrack(movie, track, samples, movie.edit_shift(track)) for track, samples in kept]
        return tracks, user_data.raw if user_data else b""

    def _take(self, box: Box) -> None:
        if box.type == b"ftyp" and box.content.startswith(_M4A_BRAND):
            self._brand = _M4A_BRAND
        elif box.type == b"moov":
            self._header = read_header(box)
        elif box.type == b"moof" and self._header:
            self._fragment = read_fragment(box, self._header)
        elif box.type == b"mfra":
            self._is_whole = True

    def _place(self, event: BoxStart) -> None:
        """Take the header of an `mdat`: note where the samples of its fragment lie."""
        fragment, self._fragment = self._fragment, None
        if fragment is None or not fragment.lies_in_media(event.length, event.header_bytes):
            raise TranscodeError("The samples of a fragment do not lie in its media.")
        fragment.media_header_bytes = event.header_bytes
        for run in fragment.runs:
            self._count += len(run.sizes)
            if self._count > MAX_COLLECTED_SAMPLES:
                raise PlainLayoutError(f"it has more than {MAX_COLLECTED_SAMPLES:,} samples")
            self._add(run, self._media_bytes + run.data_start - fragment.media_start)
        self._media_bytes += event.length

    def _add(self, run: TrackRun, offset: int) -> None:
        samples = SampleRun(None, run.durations, run.sizes, run.flags, run.offsets, None)
        try:
            self._samples[run.track.id].add(samples, Place(0, offset), decode_time=run.decode_time)
        except SampleOverlapError as error:
            raise PlainLayoutError("its samples overlap in time") from error


def _keep_last_slide(samples: TrackSamples, track: Track) -> None:
    """Show the last picture of a slide show for as long as the header announces: ffmpeg does not know how long that is."""
    shown = nlargest(2, samples.presentation_times)
    is_slide = len(shown) == 1 or shown[0] - shown[1] > MIN_SLIDE_SECONDS * track.timescale
    rest = samples.first_presented + track.duration - samples.presented_until
    if is_slide and 0 < rest <= MAX_DURATION - samples.durations[-1]:
        samples.durations[-1] += rest
        samples.end += rest
