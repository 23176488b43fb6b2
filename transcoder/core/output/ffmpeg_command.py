"""ffmpeg's command line for one period: from pipes to a pipe, copied unless a re-encoding is asked for (on ffmpeg-python)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import ffmpeg

from transcoder.core.media.mp4.language import iso_639
from transcoder.core.media.streams import Container, Medium, Stream
from transcoder.core.media.timestamps import WRAP_SECONDS, unwrap
from transcoder.core.output.ffmpeg_input import FfmpegInput
from transcoder.core.output.labels import NO_LABELS, Labels
from transcoder.core.request.output_format import (
    COPY_EVERYTHING,
    MP3_BITS_PER_SECOND,
    MP3_CHANNELS,
    USUAL_SAMPLE_RATE,
    WHOLE_PERIOD,
    FileFormat,
    OutputFormat,
    TimeWindow,
    audio_layout,
)

_PARAMETER_SETS_IN_BAND = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_UP_TO_THE_NEXT = "setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_DTS\\,DTS)\\,NEXT_DTS-DTS\\,DURATION)"
"""Gives each picture the time up to the next one. A transport stream has no durations, and ffmpeg puts the picture after the last one of a
fragment where that one ends by its guess, if it was the audio that filled the fragment: seconds early where pictures are seconds apart."""
_DOLBY_VISION = "dvh1"
"""The sample entry of HEVC that only a decoder of Dolby Vision shows in the right colours (profile 5)."""
_AAC_BITS = 80_000
"""Per second and channel."""
_MAX_SAMPLE_RATE = 96_000
"""The highest that AAC has."""
_WRAP_MARGIN_SECONDS = 60
_FRAGMENT_MICROSECONDS = 1_000_000
_ANALYZE_MICROSECONDS = str(60 * 1_000_000)
_FRAGMENTED = {
    # delay_moov: with empty_moov the distance between video and audio is lost, and AC-3, E-AC-3 and Opus cannot be written.
    # frag_discont with avoid_negative_ts disabled: without them every period would begin at zero.
    "movflags": "frag_keyframe+delay_moov+default_base_moof+frag_discont",
    "avoid_negative_ts": "disabled",
    "use_editlist": "0",
    # Bounds what ffmpeg holds back, and how long the first byte takes, where key frames are far apart or where there is only audio.
    "frag_duration": str(_FRAGMENT_MICROSECONDS),
}
"""Options of an MP4 whose fragments have the source's own times."""


class Silence(NamedTuple):
    """Silence for a period without audio in an output with audio."""

    encoder: str
    """ffmpeg's name."""
    sample_rate: int
    channels: int
    """What `audio_layout` knows."""
    start: float
    """First presentation time in seconds, on the period's own timeline."""
    seconds: float

    def within(self, window: TimeWindow) -> "Silence":
        """Return the part of it that is within a window."""
        start = self.start if window.start is None else max(self.start, window.start)
        return self._replace(start=start, seconds=window.overlap(self.start, self.start + self.seconds))


class RemuxOptions(NamedTuple):
    """What ffmpeg does with the streams of a period."""

    output_format: OutputFormat = COPY_EVERYTHING
    joined: bool = False
    """The output has several periods, so that the parameter sets of the video must be in band."""
    window: TimeWindow = WHOLE_PERIOD
    """The part of re-encoded streams that is kept; streams that are copied are copied whole."""
    silence: Silence | None = None
    """Audio to generate, where no input has any."""
    labels: Labels = NO_LABELS
    goes_on_from: float | None = None
    """When the audio before this period ended, in seconds on the same clock: an MP3 has silence from there on. None: another clock."""


def remux_command(program: str, inputs: Sequence[FfmpegInput], remux: RemuxOptions) -> list[str]:
    """Return the command line that writes `inputs` as fragmented MP4, or as bare MP3, to standard output.

    Every decode time in the MP4 is the source's own and there are no edit lists: that is what can be joined.

    Args:
        program: path of ffmpeg, version 7 or newer.
        inputs: one per pipe, in the order of their `-i`.
        remux: what ffmpeg does with them.

    """
    chosen = []
    for source in inputs:
        node = ffmpeg.input(f"pipe:{source.fd}", f=source.container.value, **_input_options(source))
        # Timed metadata and unknown streams break an MP4, so the streams to take are named, by PID or track_ID.
        chosen += [_trimmed(node[f"i:{stream.id:#x}" if stream.id else "a:0"], stream, remux, source) for stream in source.streams]
    if silence := remux.silence:
        layout = audio_layout(silence.encoder, silence.channels)
        source = ffmpeg.input(f"anullsrc=r={silence.sample_rate}:cl={layout}", f="lavfi", t=f"{silence.seconds:.3f}")
        chosen.append(source.filter("asetpts", f"PTS+{silence.start:.6f}/TB"))  # with -copyts it would begin at 0
    # ffmpeg-python writes each option once; ffmpeg does not read what follows the g (for the whole file).
    about = {f"metadata:g:{number}": f"{name}={text}" for number, (name, text) in enumerate(remux.labels.tags.items())}
    if language := iso_639(remux.labels.language):
        about["metadata:s:a:0"] = f"language={language}"  # of a stream that is not there, it does nothing
    output = ffmpeg.output(*chosen, "pipe:1", **_output_options(inputs, remux), **about)
    words: list[str] = output.global_args("-nostdin", "-hide_banner", "-loglevel", "warning").compile(cmd=program)
    return words


def _input_options(source: FfmpegInput) -> dict[str, str | None]:
    """Return the options that must stand before `-i`; after it, ffmpeg 9 ignores the whitelist and opens files, with exit status 0."""
    options: dict[str, str | None] = {"protocol_whitelist": "pipe", "copyts": None}
    if source.container is Container.MPEGTS:
        # The default of ffmpeg's command line is 1: it then expects more programs, and reads 5 s of media before it writes a byte.
        options["scan_all_pmts"] = "0"
        if all(stream.start is not None for stream in source.streams):
            # ffmpeg stops probing as soon as it knows all streams, and fails if it does not find them: by default within 5 s or 5 MB,
            # which may hold one frame of a slide show, or no audio yet.
            options |= {"analyzeduration": _ANALYZE_MICROSECONDS, "probesize": str(source.probe_bytes)}
    if source.container is Container.MP4:
        # Otherwise ffmpeg leaves out samples that an edit list does not present, and fewer come out than went in.
        options["advanced_editlist"] = "0"
    return options


def _trimmed(node: Any, stream: Stream, remux: RemuxOptions, source: FfmpegInput) -> Any:
    """Cut a stream exactly, which is possible only if it is re-encoded."""
    window = remux.window
    # ffmpeg reads what begins within the last minute before the clock of a transport stream wraps as if it began before 0.
    wraps = source.container is Container.MPEGTS and (stream.start or 0.0) >= WRAP_SECONDS - _WRAP_MARGIN_SECONDS
    if remux.output_format.encoder(stream) is None:
        return node
    start = (stream.start or 0.0) - wraps * WRAP_SECONDS
    prefix = "a" if stream.medium is Medium.AUDIO else ""
    if remux.output_format.format is FileFormat.MP3:
        node = node.filter("aresample", **_filling_pauses(stream, remux, near=start))
    if window.start is not None:
        node = node.filter(f"{prefix}trim", start=f"{unwrap(window.start, near=start):.6f}")
    if window.end is not None:
        # At the end of a trim filter ffmpeg stops reading, and the rest of the segments could not be inspected.
        node = node.filter(f"{prefix}select", f"lt(t,{unwrap(window.end, near=start):.6f})")
    return node


def _filling_pauses(stream: Stream, remux: RemuxOptions, *, near: float) -> dict[str, int]:
    """Return the options of the filter that puts silence into pauses, and before audio that begins with one: an MP3 has no times."""
    if remux.goes_on_from is None:
        return {"async": 1}
    rate = stream.sample_rate or USUAL_SAMPLE_RATE
    return {"osr": rate, "async": 1, "first_pts": round(unwrap(remux.goes_on_from, near=near) * rate)}


def _output_options(inputs: Sequence[FfmpegInput], remux: RemuxOptions) -> dict[str, str | None]:
    if remux.output_format.format is FileFormat.MP3:
        return _mp3_options(inputs, remux)
    streams = [(source.container, stream) for source in inputs for stream in source.streams]
    options: dict[str, str | None] = {
        "f": "ipod" if remux.output_format.format is FileFormat.M4A else "mp4",
        "c:v": "copy",
        "c:a": remux.silence.encoder if remux.silence else "copy",
        # Without it the samples before the first key frame are dropped, and fewer come out than went in. Those that nothing can decode may.
        "copyinkf:a" if any(stream.is_headless for _, stream in streams) else "copyinkf": None,
        "map_metadata": "-1",
        # The configuration of Dolby Vision is no part of ISO/IEC 14496-15; without this ffmpeg leaves it out.
        "strict": "unofficial",
        **_FRAGMENTED,
    }
    for container, stream in streams:
        encoder = remux.output_format.encoder(stream)
        options |= _encoding_options(encoder, stream, remux) if encoder else _stream_options(container, stream, joined=remux.joined)
    return options


def _mp3_options(inputs: Sequence[FfmpegInput], remux: RemuxOptions) -> dict[str, str | None]:
    """Write MP3 frames and nothing else, so that the next period continues where one ends; copied ones in fragments, which have times."""
    output_format, silence = remux.output_format, remux.silence
    encoders = [output_format.encoder(stream) for source in inputs for stream in source.streams]
    encoder, channels = (silence.encoder, silence.channels) if silence else (next(filter(None, encoders), None), MP3_CHANNELS)
    if encoder is None:
        return {"f": "mp4", "c:a": "copy", "map_metadata": "-1", "strict": "unofficial", **_FRAGMENTED}
    # Without the bit reservoir no frame needs the one before it, so that the first frame of a later period can be left out.
    encoding = {"c:a": encoder, "b:a": str(MP3_BITS_PER_SECOND), "ac": str(channels), "reservoir": "0"}
    rate = output_format.joined_to.sample_rate if output_format.joined_to else None
    encoding |= {"ar": str(rate)} if rate else {}
    # Otherwise ffmpeg writes each frame by itself, and reading them takes four times as long; its 32 KiB are a second and a half.
    return {"f": "mp3", **encoding, "map_metadata": "-1", "write_xing": "0", "id3v2_version": "0", "flush_packets": "0"}


def _encoding_options(encoder: str, stream: Stream, remux: RemuxOptions) -> dict[str, str]:
    if stream.medium is Medium.AUDIO:
        wanted = remux.output_format.joined_to or stream
        options = {"c:a": encoder, "b:a": str(_AAC_BITS * max(1, wanted.channels or 2))}
        # Not their number alone: of three and four channels there are several layouts, and AAC has a configuration for one of each.
        options |= {"channel_layout": layout} if (layout := audio_layout(encoder, wanted.channels)) else {}
        return options | ({"ar": str(min(wanted.sample_rate, _MAX_SAMPLE_RATE))} if wanted.sample_rate else {})
    options = {
        "c:v": encoder,
        "preset": "veryfast",
        "crf": "20",
        "pix_fmt": "yuv420p",
        "g": "100",
        # Each frame keeps its time, however irregular those are.
        "fps_mode": "passthrough",
        "enc_time_base": "1:90000",
        "video_track_timescale": "90000",
    }
    return options | ({"bsf:v": "dump_extra"} if remux.joined else {})


def _stream_options(container: Container, stream: Stream, *, joined: bool) -> dict[str, str]:
    options = {}
    if stream.medium is Medium.AUDIO:
        # Fragmented output turns ffmpeg's automatic filters off; for any other codec this one is an error.
        if stream.codec == "aac" and container is Container.MPEGTS:
            options["bsf:a"] = "aac_adtstoasc"
        return options
    is_mp4 = container in {Container.FMP4, Container.MP4}
    # With them in band, the output's sample entry gets those of the first key frame.
    in_band = is_mp4 and (joined or stream.lacks_parameter_sets) and stream.codec in _PARAMETER_SETS_IN_BAND
    if stream.codec == "hevc":
        # Apple's players show nothing for hev1. But for hvc1 ffmpeg takes the parameter sets out of the samples, where later ones may be
        # others: it is written as hev1, and the joiner renames it.
        options["tag:v"] = stream.sample_entry if stream.sample_entry == _DOLBY_VISION else "hev1" if in_band or not is_mp4 else "hvc1"
    if is_mp4:
        options["video_track_timescale"] = "90000"  # a transport stream's, so that periods of both kinds can be joined
    if in_band:
        options["bsf:v"] = _PARAMETER_SETS_IN_BAND[stream.codec]
    if container is Container.MPEGTS:
        options["bsf:v"] = _UP_TO_THE_NEXT
    return options
