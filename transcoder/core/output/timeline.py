"""Where each sample of the output lies: video without a jump in decoding, audio without a gap.

All times here are integers in ticks of the track's timescale, on the output's media timeline.
"""

from collections.abc import Mapping
from fractions import Fraction
from statistics import mode
from typing import Self

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import DataEdit, Fragment, TrackRun
from transcoder.core.output.header import OutputHeader, OutputTrack
from transcoder.core.output.random_access import RandomAccessIndex
from transcoder.core.output.video_timeline import VideoTimeline
from transcoder.errors import TranscodeError

MAX_SILENCE_SECONDS = 3600
"""A longer gap in the audio is not filled: the source is broken."""

_MAX_DROPPED_SECONDS = Fraction(1, 2)
"""So much audio of a later period on the same clock may lie where that of the period before it does; more is no overlap of segments."""

HALF_FRAME_SECONDS = 768 / 48_000
"""Where periods meet, audio is moved by up to half a frame, so that it may end so much later; the longest frames are those of AC-3."""

MAX_AUDIO_EXCESS_SECONDS = Fraction(60, 1000)
"""Audio that is longer than the video by up to this is cut; where it is longer still, the last video frame stays for it."""


class AudioTimeline:
    """The audio track so far.

    A reader that plays one frame after another and ignores their times is as common as one that stalls on a gap. So where two periods meet
    there is neither gap nor overlap: frames are dropped, and silent ones inserted, until each lies within half a frame of its place.
    Within a period the source's own times stand, gaps included.
    """

    def __init__(self, track: OutputTrack) -> None:
        """Begin with nothing placed."""
        self.track = track
        self.end = 0
        """Where it ends."""
        self._frame = 0
        """Ticks of one frame."""
        self._joined = False
        """Whether the first frame of this period has its place."""
        self._moved = 0
        """By how much the frames of this period lie behind their places: half a frame at most."""

    def begin_period(self) -> None:
        """Begin a period: its first frame may lie anywhere."""
        self._joined = False

    def place(self, fragment: Fragment, run: TrackRun, shift: int) -> None:
        """Put a run `shift` ticks later than its source says; a period's first frame, to within half a frame, right after the last one.

        Raises:
            TranscodeError: a gap is too long to be filled, or an overlap too long to be dropped.
        """
        run.decode_time += shift
        if not run.sizes:
            return
        if not self._frame:
            self._frame, self._joined = max(1, mode(run.durations)), True
        if not self._joined:
            self._join(fragment, run)
        else:
            run.decode_time += self._moved
        self.end = run.decode_time + sum(run.durations)

    def _join(self, fragment: Fragment, run: TrackRun) -> None:
        """Drop what overlaps the period before, fill what is missing after it, and move the rest by what is left."""
        if self.end - run.decode_time > _MAX_DROPPED_SECONDS * self.track.timescale:
            seconds = (self.end - run.decode_time) / self.track.timescale
            raise TranscodeError(f"The audio of a part of the source begins {seconds:.1f} s before that of the part before it ends.")
        dropped = 0
        while dropped < len(run.sizes) and run.decode_time - self.end < -(self._frame // 2):
            fragment.edits.append(DataEdit(run.data_start + sum(run.sizes[:dropped]), run.sizes[dropped]))
            run.decode_time += run.durations[dropped]
            dropped += 1
        first_kept_at = run.data_start + sum(run.sizes[:dropped])
        run.keep(dropped)
        fragment.rewritten = fragment.rewritten or dropped > 0
        if not run.sizes:
            run.decode_time = self.end
            return
        self._joined = True
        gap = run.decode_time - self.end
        if gap > self._frame // 2:
            self._fill(fragment, run, first_kept_at, gap)
        self._moved = self.end - run.decode_time
        run.decode_time = self.end

    def _fill(self, fragment: Fragment, run: TrackRun, at: int, gap: int) -> None:
        """Put silence before a run; where none is known for its codec, the gap stays."""
        if self.track.silence is None:
            self.end += gap
            return
        count = self._frames_in(gap)
        fragment.rewritten = True
        fragment.edits.append(DataEdit(at, 0, self.track.silence * count))
        run.decode_time -= count * self._frame
        run.durations = [*[self._frame] * count, *run.durations]
        run.sizes = [*[len(self.track.silence)] * count, *run.sizes]
        run.flags = [*[run.flags[0]] * count, *run.flags]
        run.offsets = [*[0] * count, *run.offsets]

    def _frames_in(self, gap: int) -> int:
        """Return the number of frames that fills a gap best."""
        if gap > MAX_SILENCE_SECONDS * self.track.timescale:
            raise TranscodeError(f"The audio has a gap of more than {MAX_SILENCE_SECONDS} s, too long to be filled.")
        return (gap + self._frame // 2) // self._frame

    def trim_to(self, fragment: Fragment, run: TrackRun, limit: int) -> None:
        """Drop the frames at the end of a run that lie, by more than half, beyond `limit`."""
        sizes, start = list(run.sizes), self.end
        inserted = next((edit for edit in reversed(fragment.edits) if edit.insert), None)
        floor = inserted.at if inserted else run.data_start
        while sizes and run.data_end - sizes[-1] >= floor and start - run.durations[len(sizes) - 1] + self._frame // 2 > limit:
            start -= run.durations[len(sizes) - 1]
            size = sizes.pop()
            run.data_end -= size
            fragment.edits.append(DataEdit(run.data_end, size))
        if len(sizes) < len(run.sizes):
            fragment.rewritten = True
            run.keep(0, len(sizes))
            self.end = start

    def extend_to(self, fragment: Fragment, run: TrackRun, limit: int) -> None:
        """Let the last frame of a run last until `limit`, where no silent frame is known that could fill the rest."""
        if self.track.silence is None and limit > self.end and run.durations:
            fragment.rewritten = True
            run.durations = [*run.durations[:-1], run.durations[-1] + limit - self.end]
            self.end = limit


class OutputTimeline:
    """What has been decided for all periods."""

    def __init__(
        self,
        header: OutputHeader,
        media_start: Mapping[Medium, int],
        video: VideoTimeline | None,
        audio: AudioTimeline | None,
        index: RandomAccessIndex,
    ) -> None:
        """Begin with what the periods have in common."""
        self.header = header
        self.media_start = media_start
        self.video = video
        self.audio = audio
        self.index = index
        self.fragments = 0

    @classmethod
    def for_header(cls, header: OutputHeader, media_start: Mapping[Medium, int]) -> Self:
        """Begin the timelines of the tracks of `header`, which begin at the media times `media_start`."""
        tracks = {track.medium: track for track in header.tracks}
        video, audio = tracks.get(Medium.VIDEO), tracks.get(Medium.AUDIO)
        index = RandomAccessIndex(video or header.tracks[0])
        return cls(header, media_start, VideoTimeline(video) if video else None, AudioTimeline(audio) if audio else None, index)

    def begin_period(self) -> None:
        """Begin a period in both tracks."""
        if self.video:
            self.video.begin_period()
        if self.audio:
            self.audio.begin_period()

    @property
    def ends(self) -> dict[Medium, Fraction]:
        """When each track ends, in seconds into the output."""
        tracks = [track for track in (self.video, self.audio) if track]
        return {one.track.medium: Fraction(one.end - self.media_start[one.track.medium], one.track.timescale) for one in tracks}

    @property
    def end(self) -> Fraction:
        """When the output ends, or its next period begins."""
        ends = self.ends
        video, latest = ends.get(Medium.VIDEO), max(ends.values())
        return latest if video is None or latest - video > MAX_AUDIO_EXCESS_SECONDS else video

    def end_audio_with_period(self, fragment: Fragment) -> None:
        """Let the audio of the last fragment of a period end with the period."""
        run = fragment.run(Medium.AUDIO)
        if not run or not self.audio:
            return
        limit = round(self.end * self.audio.track.timescale) + self.media_start[Medium.AUDIO]
        self.audio.trim_to(fragment, run, limit)
        self.audio.extend_to(fragment, run, limit)

    def track(self, medium: Medium) -> VideoTimeline | AudioTimeline:
        """Return the track of that medium.

        Raises:
            TranscodeError: the output has none.
        """
        track = self.video if medium is Medium.VIDEO else self.audio
        if not track:
            raise TranscodeError(f"A fragment holds {medium.value}, but the output has no {medium.value} track.")
        return track
