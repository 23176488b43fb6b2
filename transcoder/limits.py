"""The table of all limits. `python -m transcoder.limits` prints it as docs/limits.md has it.

A limit that operators may change is a setting; any other is a constant where it is used. Neither may be missing here, and a test says so.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from transcoder.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    key: str
    """Of a setting its name; of a constant the module below `transcoder`, a dot, and its name."""
    unit: str
    limits: str
    """What it limits."""
    told: str
    """What the caller, or the user, is told beyond it."""

    @property
    def is_setting(self) -> bool:
        """Whether operators may change it."""
        return "." not in self.key

    @property
    def default(self) -> float:
        """Its value, or that of the setting without a variable."""
        if self.is_setting:
            return float(getattr(Settings(), self.key))
        module, _, name = self.key.rpartition(".")
        return float(getattr(import_module(f"transcoder.{module}"), name))

    @property
    def row(self) -> str:
        """Its row in the table."""
        where = f"`{PREFIX}{self.key.upper()}`" if self.is_setting else f"`{self.key}`"
        return f"| {self.limits} | {_text_of(self.default)}{f' {self.unit}' if self.unit else ''} | {where} | {self.told} |"


def _text_of(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,g}"


_UNSUPPORTED = "`422 unsupported-source`"
_UPSTREAM = "`502 upstream-failed`"
_BAD_REQUEST = "`400 bad-request`"
_NEXT_STEP = "the answer of the next step; of the last one, `502`"
_NOTHING = "nothing: what is beyond it is left out"
_GO_ON = "nothing: the fragments go on"

REQUEST = (
    Limit("core.request.job.MAX_URL_CHARACTERS", "characters", "Address in `url` or `page`", _BAD_REQUEST),
    Limit("core.request.query.MAX_PARAMETERS", "parameters", "Query", _BAD_REQUEST),
    Limit("core.request.values._MAX_TEXT_CHARACTERS", "characters", "`audio`, `filename` and other texts", _BAD_REQUEST),
    Limit("core.answer.passthrough.MAX_CONDITION_CHARACTERS", "characters", "`If-Range`", "the whole file, not a range"),
    Limit("edge.runtime_api.connection.MAX_REPLY_BYTES", "bytes", "Event", "Lambda ends the environment"),
    Limit("edge.runtime_api.connection.MAX_HEADER_BYTES", "bytes", "Headers of the Runtime API", "Lambda ends the environment"),
    Limit("emulator.server.MAX_REQUEST_BYTES", "bytes", "Body of a request to the emulator, as on Lambda", "`413`"),
    Limit("emulator.http_connection.MAX_HEADER_BYTES", "bytes", "Request line and headers, as on Lambda", "`431`"),
    Limit("emulator.http_connection.MAX_CONNECTIONS", "connections", "Open connections to the emulator", "the connection waits"),
)
ORIGIN = (
    Limit("connections", "requests", "Concurrent requests to origins", "nothing: further ones wait"),
    Limit("connect_seconds", "seconds", "Until an origin accepts a connection", "`504 upstream-timeout`, after all attempts"),
    Limit("read_seconds", "seconds", "Silence of an origin whose response is awaited", "`504 upstream-timeout`, after all attempts"),
    Limit("least_rate", "bytes per second", "Least rate of a body, over `TRANSCODER_RATE_SECONDS` (at least)", "`504 upstream-timeout`"),
    Limit("rate_seconds", "seconds", "Over which the least rate is measured", "nothing"),
    Limit("playlist_seconds", "seconds", "A playlist, a key or another small resource, over all attempts", "`504 upstream-timeout`"),
    Limit("stall_seconds", "seconds", "No byte of a body from any origin of a job, over all attempts", "`504 upstream-timeout`"),
    Limit("ffmpeg_seconds", "seconds", "ffmpeg that neither reads nor writes", "`500 transcode-failed`"),
    Limit("attempts", "attempts", "Requests for the same resource that fail in a row", "the last failure"),
    Limit("retry_seconds", "seconds", "Average wait before the second attempt", "nothing"),
    Limit("edge.fetch.retry.MAX_PAUSE_SECONDS", "seconds", "Wait between attempts, whatever `Retry-After` says", "nothing"),
    Limit("edge.prefetch.prefetcher.MAX_FETCHES", "fetches", "Fetches of a segment that looks odd", "what its inspection finds"),
    Limit("edge.fetch.media_guard._MAX_END_DOUBTS", "attempts", "More attempts for a body that ends in text", "what its inspection finds"),
    Limit("max_redirects", "redirects", "Redirects in a row", _UPSTREAM),
    Limit("edge.fetch.session.MAX_PORT", "", "Port number", _UNSUPPORTED),
    Limit("edge.fetch.session.MAX_DRAINED_BYTES", "bytes", "Body of a redirect that is read", "nothing: the connection is closed"),
    Limit("edge.address_guard.exchange.MAX_RESPONSE_HEAD_BYTES", "bytes", "Before a body, with all interim responses", _UPSTREAM),
    Limit("edge.address_guard.exchange.MAX_HEAD_BYTES", "bytes", "Head of one response", _UPSTREAM),
    Limit("edge.address_guard.exchange.MAX_INTERIM_RESPONSES", "responses", "Interim responses before a response", _UPSTREAM),
    Limit("edge.fetch.pace.MAX_FIELDS", "header fields", "Response of an origin", _UPSTREAM),
    Limit("edge.fetch.pace.MAX_PIECES", "pieces", "Body in pieces of less than 128 bytes on average", _UPSTREAM),
    Limit("edge.fetch.content_encoding.MAX_EXPANSION", "times its length", "Compressed body", _UPSTREAM),
    Limit("edge.fetch.cookies.MAX_COOKIES", "cookies", "Cookies of a job", _NOTHING),
    Limit("pipeline.key_store._MAX_KEY_BYTES", "bytes", "Decryption key", _UNSUPPORTED),
    Limit("max_init_bytes", "bytes", "Initialization section", _UNSUPPORTED),
    Limit("max_segment_bytes", "bytes", "Segment", _UNSUPPORTED),
    Limit("max_file_bytes", "bytes", "File that is passed through", _UNSUPPORTED),
    Limit("ahead_bytes", "bytes", "Media that is prefetched", "nothing: the origin is read later"),
    Limit("pipeline.empty_ends._MAX_BYTES", "bytes", "Last segment that may turn out to be empty", "nothing"),
    Limit("pipeline.segment_parts._MAX_WHOLE_BYTES", "bytes", "Segment that is fetched to see where it ends", "nothing"),
    Limit("pipeline.source_probe._MAX_ENDS", "periods", "Periods whose ends are read", "a duration by the playlist"),
    Limit("pipeline.single_segment._MAX_MEASURED_BYTES", "bytes", "Part of a lone segment that is measured", "an estimated duration"),
    Limit("pipeline.resolver._MAX_MOOV_BYTES", "bytes", "Beginning of an MP4 that is searched for its `moov`", _UNSUPPORTED),
)
PLAYLIST = (
    Limit("max_playlist_bytes", "bytes", "Playlist, decompressed", _UNSUPPORTED),
    Limit("core.hls.playlist.lines.MAX_LINES", "lines", "Playlist", _UNSUPPORTED),
    Limit("core.hls.playlist.lines.MAX_URIS", "addresses", "Playlist", _UNSUPPORTED),
    Limit("core.hls.playlist.lines.MAX_LINE_CHARACTERS", "characters", "Line without a data: address", _UNSUPPORTED),
    Limit("core.hls.playlist.lines.MAX_DATA_CHARACTERS", "characters", "Line with a data: address", _UNSUPPORTED),
    Limit("core.hls.playlist.uris.MAX_CHARACTERS", "characters", "Address in a playlist", _UNSUPPORTED),
    Limit("core.hls.playlist.parse.MAX_VARIANTS", "variants", "Multivariant Playlist", _UNSUPPORTED),
    Limit("core.hls.playlist.parse.MAX_CODECS", "codecs", "Codecs of a variant", _NOTHING),
    Limit("core.hls.playlist.variables.MAX_CHARACTERS", "characters", "What variables add to a playlist", _UNSUPPORTED),
    Limit("core.hls.playlist.media_segments.MAX_KEYS", "keys", "Keys in force at once", _UNSUPPORTED),
    Limit("core.hls.planner.MAX_SECONDS", "seconds", "Duration of a source", _UNSUPPORTED),
    Limit("core.hls.periods.MAX_PERIODS", "periods", "Breaks of the timeline", _UNSUPPORTED),
    Limit("core.hls.nested_playlists.MAX_LEVELS", "levels", "Nested Multivariant Playlists", _UNSUPPORTED),
    Limit("core.hls.nested_playlists.MAX_NESTED_PLAYLISTS", "playlists", "Nested Multivariant Playlists", _UNSUPPORTED),
    Limit("core.hls.nested_playlists.MAX_VARIANTS", "variants", "Variants, with those of nested playlists", _UNSUPPORTED),
    Limit("core.hls.variant_selection.MAX_CHOICES", "variants", "Redundant variants that are tried", "the last failure"),
    Limit("pipeline.subtitles.MAX_BYTES", "bytes", "Subtitles", _UNSUPPORTED),
    Limit("pipeline.subtitles.MAX_SEGMENTS", "segments", "Subtitles", _UNSUPPORTED),
    Limit("core.media.subtitles.webvtt.MAX_CUES", "cues", "Subtitles", _UNSUPPORTED),
    Limit("core.media.subtitles.webvtt.MAX_LINES", "lines", "One text of subtitles", _UNSUPPORTED),
    Limit("core.media.subtitles.webvtt.MAX_CUE_CHARACTERS", "characters", "One cue", _UNSUPPORTED),
)
MEDIA = (
    Limit("core.media.mpegts.packets.MAX_JUNK_BYTES", "bytes", "Other bytes before or after transport packets", _UPSTREAM),
    Limit("core.media.mpegts.probe._MAX_PROBE_BYTES", "bytes", "Search for the beginning of a stream", "nothing: it counts as missing"),
    Limit("core.media.mpegts.probe._MAX_FIRST_PROBE_BYTES", "bytes", "The same in a first segment", "nothing: it counts as missing"),
    Limit("core.media.mpegts.first_frame.MAX_SEARCH_BYTES", "bytes", "Search for an audio frame", "nothing: it counts as missing"),
    Limit("core.media.audio_tags._MAX_TAG_BYTES", "bytes", "Tag beside packed audio", _UPSTREAM),
    Limit("core.media.audio_frames.MAX_SHORT_FRAMES", "frames", "ADTS frames of less than 12 bytes on average", _UNSUPPORTED),
    Limit("core.media.tagged_audio.MAX_TAGS_BETWEEN", "tags", "Tags between frames, with less than 1 KiB for each", _UNSUPPORTED),
    Limit("core.media.audio_tags.MAX_TAGS", "tags", "Tags at the beginning of a segment", _UPSTREAM),
    Limit("core.media.mp4_source.inspector._MAX_COLLECTED_BYTES", "bytes", "`moof` or `moov` of a segment", _UPSTREAM),
    Limit("core.media.mp4_source.probe._MAX_MOOF_BYTES", "bytes", "Search for the first `moof`", "nothing: its streams count as missing"),
    Limit("core.media.mp4.fragment.MAX_SAMPLES", "samples", "One `trun`", _UPSTREAM),
    Limit("core.media.mp4.fragment.MAX_RUNS", "boxes", "`trun` boxes in one `moof`", _UPSTREAM),
    Limit(
        "core.media.mp4_source.nonnegative_offsets.MAX_UNLISTED_SAMPLES",
        "samples",
        "Samples that a `moof` lists nothing of, beside negative composition offsets",
        _UPSTREAM,
    ),
    Limit("core.media.mp4_source.nonnegative_offsets.MAX_HELD_FRAGMENTS", "fragments", "Fragments held until frames are in order", _GO_ON),
    Limit("core.media.mp4_source.nonnegative_offsets.MAX_HELD_BYTES", "bytes", "Fragments held until frames are in order", _GO_ON),
    Limit("core.media.mp4.box_limits.MAX_CHILDREN", "boxes", "Boxes inside one box", _UPSTREAM),
    Limit("core.media.mp4_source.density.MAX_FRAGMENTS", "fragments", "Fragments of less than 128 bytes on average", _UNSUPPORTED),
    Limit("core.media.mp4_source.density.MAX_RUNS", "boxes", "`traf` and `trun` boxes of less than 40 bytes on average", _UNSUPPORTED),
    Limit("core.media.mp4_source.density.MAX_SAMPLES", "samples", "Samples of less than 4 bytes on average", _UNSUPPORTED),
    Limit("core.media.mp4.movie.MAX_TRACKS", "tracks", "Tracks of a `moov`", _UPSTREAM),
    Limit("core.media.mp4.movie.MAX_PROTECTION_BOXES", "boxes", "`pssh` boxes of a `moov`, or of all fragments", _UPSTREAM),
    Limit("core.media.mp4.movie.MAX_EDITS", "edits", "Edits of a track", _UPSTREAM),
    Limit("core.media.mp4.sample_entry._MAX_ENTRIES", "entries", "Sample entries of a track", _UPSTREAM),
    Limit("core.media.packet_evidence.MAX_UNITS", "units", "Fragments or PES packets that are compared with the next segment", "nothing"),
    Limit(
        "core.media.mp4.track_samples.MAX_DURATION", "ticks", "Sample of a plain MP4", "`422 unsupported-source`, or a fragmented output"
    ),
    Limit("core.media.mp4_source.sequence_numbers.MAX_STEPS", "steps", "Steps between sequence numbers that are counted", "nothing"),
    Limit("core.media.mp4.sample_tables._MAX_SIZES", "samples", "Sample table whose sizes are added up", "nothing"),
)
OUTPUT = (
    Limit("response_limit", "bytes", "Response", "`413 too-large`; after the first byte, a stream that ends as failed"),
    Limit("daily_bytes", "bytes", "What an environment sends in a day; 0: no limit", "`503 daily-limit`"),
    Limit("deadline_margin_seconds", "seconds", "Time before Lambda's timeout", "`504 deadline`, or a stream that ends as failed"),
    Limit("core.answer.function_url.MAX_PRELUDE_BYTES", "bytes", "Status and headers of a response", "the invocation fails"),
    Limit("core.answer.multipart.MAX_HEADER_BYTES", "bytes", "Headers of a part that `invoke --progress` reads", "the command fails"),
    Limit("core.answer.multipart._MAX_PADDING_BYTES", "bytes", "White space behind a boundary that it reads", "the command fails"),
    Limit("core.answer.file_names.MAX_NAME_BYTES", "bytes", "File name", _NOTHING),
    Limit("core.answer.file_names._MAX_TITLE_CHARACTERS", "characters", "Title that a file name is made of", _NOTHING),
    Limit("core.source.metadata._MAX_CHARACTERS", "characters", "Title and other metadata of the file", _NOTHING),
    Limit("core.output.output_boxes.MAX_BOX_BYTES", "bytes", "Box that ffmpeg writes, other than `mdat`", "`500 transcode-failed`"),
    Limit("plain_heads", "heads", "Index of a plain MP4, where the source decides", "nothing: the output is fragmented"),
    Limit("index_cache_bytes", "bytes", "Indexes of plain MP4s that are kept", "nothing: the oldest is forgotten"),
    Limit("core.output.plain_layout.MAX_HEADS", "heads", "Index of a plain MP4", _UNSUPPORTED),
    Limit(
        "core.output.plain_layout.MAX_PIECES",
        "pieces",
        "Media of a map in pieces of less than 2 KiB on average",
        "`layout=plain` makes a finished file",
    ),
    Limit("core.output.plain_layout.MAX_SAMPLES", "samples", "Track of a plain MP4", "`422 unsupported-source`, or a fragmented output"),
    Limit("tmp_bytes", "bytes", "Media of a plain MP4 that is made in the temporary folder", "`413 too-large`"),
    Limit("silent_seconds", "seconds", "Making of a plain MP4, as estimated beforehand", "`413 too-large`"),
    Limit("core.output.plain_collector.MAX_COLLECTED_SAMPLES", "samples", "Plain MP4 that is made in a temporary file", _UNSUPPORTED),
    Limit("local.plain.MAX_FINISHED_SECONDS", "seconds", "Plain MP4 that `get` makes unasked", "nothing: the output is fragmented"),
    Limit("core.media.mp4_source.segment_boxes.MAX_BOX_BYTES", "bytes", "Box of a segment that an index is made of", _UPSTREAM),
    Limit("core.output.joiner.MAX_HELD_BYTES", "bytes", "Fragment that is held back", "nothing: the next period is cut instead"),
    Limit("core.output.timeline.MAX_SILENCE_SECONDS", "seconds", "Gap in the audio", "`500 transcode-failed`"),
    Limit("cache_seconds", "seconds", "How long caches may store a video", "`Cache-Control`"),
    Limit("app.text_response._MAX_AGE_SECONDS", "seconds", "How long caches may store a report", "`Cache-Control`"),
    Limit("cli.file_parts.MAX_FAILURES", "attempts", "Requests for one range of a plain MP4 that fail", "the last failure"),
    Limit("cli.file_parts.MAX_WAIT_SECONDS", "seconds", "Wait for a function that is busy", "the last failure"),
    Limit("core.answer.problem.MAX_PROBLEM_BYTES", "bytes", "Error of a function that `invoke` keeps", _NOTHING),
    Limit("cli.multipart_receiver.MAX_REPORT_BYTES", "bytes", "Report that `invoke --progress` shows", "nothing: it is not shown"),
    Limit("edge.invoke.lambda_function.MAX_BUFFERED_EVENTS", "events", "Events that `invoke` reads ahead", "nothing: it reads later"),
    Limit("edge.secrets_manager._MAX_ATTEMPTS", "attempts", "Reading the keys of signed links", "`500 internal-error`"),
    Limit("edge.object_store.bucket._MAX_ATTEMPTS", "attempts", "Reading or writing an index in the bucket", "nothing: it is made again"),
    Limit("edge.object_store.bucket._MAX_UPLOAD_ATTEMPTS", "attempts", "Request to S3 for a finished file", "`507 no-storage`"),
    Limit("edge.object_store.upload.MAX_PARTS", "parts", "Finished file in the bucket, in parts of 5 MiB", "`413 too-large`"),
    Limit("emulator.runtime_api.MAX_ERROR_BYTES", "bytes", "Error that a function reports to the emulator", "`413`, as on Lambda"),
    Limit("emulator.runtime_api.MAX_DISCARDED_BYTES", "bytes", "Refused body that the emulator reads", "the connection is closed"),
)
REDDIT = (
    Limit("pipeline.reddit.site.MAX_REPLY_BYTES", "bytes", "Reply of Reddit's site", _NEXT_STEP),
    Limit("pipeline.reddit.embed._MAX_BYTES", "bytes", "Embed page", _NEXT_STEP),
    Limit("pipeline.reddit.feed._MAX_BYTES", "bytes", "Feed", _NEXT_STEP),
    Limit(
        "pipeline.reddit.site.MAX_PAUSE_SECONDS",
        "seconds",
        "Wait that Reddit asks for",
        _NEXT_STEP,
    ),
    Limit("pipeline.reddit.site.MAX_REST_SECONDS", "seconds", "How long a host of Reddit is left alone", _NEXT_STEP),
    Limit("pipeline.reddit.kept_answers.MAX_ANSWERS", "answers", "Answers that are kept", "nothing: the oldest is forgotten"),
    Limit("pipeline.reddit.search.MAX_CROSSPOSTS", "crossposts", "Crossposts in a row", _UNSUPPORTED),
    Limit("core.source.reddit.post.MAX_VIDEOS", "videos", "Videos of a post", _NOTHING),
    Limit("core.source.reddit.post._MAX_COMMENTS", "comments", "Comments that are searched", _NOTHING),
    Limit("core.source.reddit.html_content._MAX_ELEMENTS", "elements", "Elements of a page", _NOTHING),
    Limit("core.source.reddit.html_content._MAX_CHARACTERS", "characters", "Text of an element", _NOTHING),
    Limit("core.source.reddit.json_values._MAX_NUMBER", "", "Number in JSON", _NOTHING),
    Limit("core.source.reddit.feed._MAX_NUMBER", "", "Number in a feed", _NOTHING),
)
SECTIONS = {
    "Requests": REQUEST,
    "Origins": ORIGIN,
    "Playlists and subtitles": PLAYLIST,
    "Media": MEDIA,
    "Responses": OUTPUT,
    "Reddit": REDDIT,
}
LIMITS = tuple(limit for limits in SECTIONS.values() for limit in limits)


def markdown() -> str:
    """Return the tables as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for title, limits in SECTIONS.items():
        yield from (f"## {title}", "", "| What | At most | Setting, or constant | Beyond it |", "|---|---|---|---|")
        yield from (limit.row for limit in limits)
        yield ""


if __name__ == "__main__":
    sys.stdout.write(markdown())
