"""What ffmpeg is told: one period of a film, from pipes to a pipe, copied and never re-encoded (on ffmpeg-python)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import ffmpeg

from transcoder.core.media import Container, Medium, Stream

PICTURE_CODECS = frozenset({"h264", "hevc", "av1", "vp9"})
SOUND_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac"})
_PARAMETER_SETS_IN_BAND = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_ENCODERS = {"aac": "aac", "mp3": "libmp3lame", "ac3": "ac3", "eac3": "eac3", "opus": "libopus", "flac": "flac"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
NO_TAGS: Mapping[str, str] = MappingProxyType({})
_FRAGMENT_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Input:
    """One pipe that ffmpeg reads: what is in it, and which of its streams go into the film."""

    fd: int
    container: Container
    streams: tuple[Stream, ...]
    offset: float | None = None
    """Seconds to add to its timestamps: the ID3 time of packed audio, whose frames carry none themselves."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Sound of nothing, for a period that has none in a film that has."""

    codec: str
    sample_rate: int
    channels: int
    """1, 2 or 6: what `_LAYOUTS` knows."""
    start: float
    """First presentation time in seconds, on the period's own timeline."""
    seconds: float


def can_be_silent(stream: Stream) -> bool:
    """Tell whether silence can be made in the form of that sound."""
    return stream.codec in _ENCODERS and stream.channels in _LAYOUTS and bool(stream.sample_rate)


def remux(
    program: str, inputs: Sequence[Input], *, joined: bool, silence: Silence | None = None, tags: Mapping[str, str] = NO_TAGS
) -> list[str]:
    """Compile the command line that remuxes `inputs` into fragmented MP4 on standard output.

    Every decode time in the result is the source's own and there are no edit lists: the form that can be joined.

    Args:
        program: path of ffmpeg, version 7 or newer.
        inputs: one for each pipe, in the order of their `-i`.
        joined: the film has several periods, so that a picture's parameter sets must be in band.
        silence: sound to be made, where no input has any.
        tags: what the film says of itself, by ffmpeg's names.

    """
    chosen = []
    for source in inputs:
        node = ffmpeg.input(f"pipe:{source.fd}", f=source.container.value, **_input_options(source))
        # Timed metadata and unknown streams break an MP4, so what goes in is named, by PID or track_ID.
        chosen += [node[f"i:{stream.id:#x}" if stream.id else "a:0"] for stream in source.streams]
    if silence:
        source = ffmpeg.input(f"anullsrc=r={silence.sample_rate}:cl={_LAYOUTS[silence.channels]}", f="lavfi", t=f"{silence.seconds:.3f}")
        chosen.append(source.filter("asetpts", f"PTS+{silence.start:.6f}/TB"))  # beside -copyts it would begin at 0
    # ffmpeg-python gives each option once; what follows the g (for the whole file) ffmpeg does not read.
    about = {f"metadata:g:{number}": f"{name}={text}" for number, (name, text) in enumerate(tags.items())}
    output = ffmpeg.output(*chosen, "pipe:1", **_output_options(inputs, joined=joined, silence=silence), **about)
    words: list[str] = output.global_args("-nostdin", "-hide_banner", "-loglevel", "warning").compile(cmd=program)
    return words


def _input_options(source: Input) -> dict[str, str | None]:
    """Options that must stand before `-i`; after the output, ffmpeg 9 ignores the whitelist and opens files, exit 0."""
    options: dict[str, str | None] = {"protocol_whitelist": "pipe", "copyts": None}
    if source.container is Container.MPEGTS:
        # ffmpeg's own default is 1: it then expects more programs, and reads 5 s of media before it writes a byte, whatever it has found.
        options["scan_all_pmts"] = "0"
    if source.offset is not None:
        options["itsoffset"] = f"{source.offset:.6f}"
    return options


def _output_options(inputs: Sequence[Input], *, joined: bool, silence: Silence | None) -> dict[str, str | None]:
    streams = [(source.container, stream) for source in inputs for stream in source.streams]
    # delay_moov: with empty_moov the distance between picture and sound is lost, and AC-3, E-AC-3 and Opus cannot be written.
    # frag_discont with avoid_negative_ts disabled: without them every period would begin at zero.
    options: dict[str, str | None] = {
        "f": "mp4",
        "c:v": "copy",
        "c:a": _ENCODERS[silence.codec] if silence else "copy",
        # Without it what comes before the first key frame is dropped, and less comes out than went in.
        "copyinkf": None,
        "map_metadata": "-1",
        "avoid_negative_ts": "disabled",
        "use_editlist": "0",
        "movflags": "frag_keyframe+delay_moov+default_base_moof+frag_discont",
        # Bounds what ffmpeg holds back, and how long the first byte waits, where key frames are far apart or where there is only sound.
        "frag_duration": str(_FRAGMENT_MICROSECONDS),
    }
    for container, stream in streams:
        options |= _stream_options(container, stream, joined=joined)
    return options


def _stream_options(container: Container, stream: Stream, *, joined: bool) -> dict[str, str]:
    options = {}
    if stream.medium is Medium.AUDIO:
        # Fragmented output switches ffmpeg's automatic filters off, and on any other codec this one is fatal.
        if stream.codec == "aac" and container in {Container.MPEGTS, Container.ADTS}:
            options["bsf:a"] = "aac_adtstoasc"
        return options
    if stream.codec == "hevc":
        # Apple's players show nothing for hev1. But for hvc1 ffmpeg takes the parameter sets out of the samples, and a film of several
        # periods needs them there: it is written as hev1, and the joiner names it.
        options["tag:v"] = "hev1" if joined else "hvc1"
    if container is Container.FMP4:
        options["video_track_timescale"] = "90000"  # a transport stream's, so that periods of both kinds can be joined
        if joined and stream.codec in _PARAMETER_SETS_IN_BAND:
            options["bsf:v"] = _PARAMETER_SETS_IN_BAND[stream.codec]
    return options
