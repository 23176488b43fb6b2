"""Which format each medium has in the output: that of its first period, or AAC. Every period is copied or re-encoded in it, or refused."""

from collections.abc import Collection, Mapping, Sequence

from transcoder.core.media.streams import Container, Medium, Stream, TrackKind
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import (
    DECODABLE,
    ENCODER_CODECS,
    MP3_CHANNELS,
    MP4_AUDIO_CODECS,
    MP4_VIDEO_CODECS,
    USUAL_SAMPLE_RATE,
    AudioMode,
    FileFormat,
    OutputFormat,
    VideoMode,
    can_encode_as,
)
from transcoder.errors import UnexpectedMediaError, UnsupportedSourceError

_USUAL_CHANNELS = 2
"""Audio whose channels are not known is encoded with these."""
_MANY_CHANNELS = 6
"""What audio is encoded with whose channels ffmpeg cannot encode: 5.1."""
_MISSING = {TrackKind.VIDEO: "no video", TrackKind.AUDIO: "no audio", TrackKind.BOTH: "neither video nor audio"}


def output_formats(periods: Sequence[Sequence[ProbedTrack]], output_format: OutputFormat) -> dict[Medium, Stream]:
    """Return the format of each medium in an output of all periods.

    Raises:
        UnsupportedSourceError: MP4 cannot hold a codec, there is neither video nor audio, or a later period differs in a way that is not
            evened out by re-encoding.

    """
    formats: dict[Medium, Stream] = {}
    found = {stream.medium for tracks in periods for track in tracks for stream in track.streams}
    for tracks in periods:
        refuse_missing_media(tracks, found)
        joined = output_format.after(formats.get(Medium.AUDIO))
        refuse_codecs(tracks, joined)
        formats = formats_of(tracks, joined) | formats
    if Medium.AUDIO in formats and len(periods) > 1:
        formats[Medium.AUDIO] = _audio_of_all(formats[Medium.AUDIO], periods, output_format)
    joined = output_format.after(formats.get(Medium.AUDIO))
    for tracks in periods:
        _refuse_change(formats, formats_of(tracks, joined))
    return formats


def _audio_of_all(first: Stream, periods: Sequence[Sequence[ProbedTrack]], output_format: OutputFormat) -> Stream:
    """Return the format of the audio of several periods.

    It is that of the first one; or AAC, if others must be encoded in it and ffmpeg cannot do that.
    """
    streams = audio_streams(periods)
    if output_format.encoder(streams[0]) is None:
        is_same = len(streams) == len(periods) and all(stream.has_format_of(first) for stream in streams)
        if is_same or can_encode_as(first) or output_format.audio_mode is AudioMode.COPY:
            return first
        first = first._replace(codec="aac")
    known = first._replace(sample_rate=first.sample_rate or USUAL_SAMPLE_RATE, channels=first.channels or _USUAL_CHANNELS)
    return known if can_encode_as(known) else known._replace(channels=_MANY_CHANNELS)


def formats_of(tracks: Sequence[ProbedTrack], output_format: OutputFormat) -> dict[Medium, Stream]:
    """Return the format of each medium in the output."""
    streams = [stream for track in tracks for stream in track.streams]
    return {stream.medium: _format(stream, output_format) for stream in streams}


def _format(stream: Stream, output_format: OutputFormat) -> Stream:
    encoder, joined_to = output_format.encoder(stream), output_format.joined_to
    if encoder is None:
        return stream
    encoded = stream._replace(codec=ENCODER_CODECS[encoder])
    if stream.medium is Medium.VIDEO:
        return encoded
    if joined_to:
        encoded = encoded._replace(sample_rate=joined_to.sample_rate, channels=joined_to.channels)
    return encoded._replace(channels=MP3_CHANNELS) if output_format.format is FileFormat.MP3 else encoded


def reencoded_audio(periods: Sequence[Sequence[ProbedTrack]], output_format: OutputFormat) -> tuple[str, ...]:
    """Return the codecs of audio that is re-encoded although it need not be for the format or the clip that was asked for."""
    if output_format.format is not FileFormat.MP4 or (output_format.clip and output_format.clip.exact):
        return ()
    return tuple(dict.fromkeys(stream.codec for stream in audio_streams(periods) if output_format.encoder(stream)))


def audio_streams(periods: Sequence[Sequence[ProbedTrack]]) -> list[Stream]:
    """Return the audio stream of each period that has one."""
    return [stream for tracks in periods for track in tracks for stream in track.streams if stream.medium is Medium.AUDIO]


def is_silent(track: ProbedTrack) -> bool:
    """Return whether a track of an output of audio alone has video in place of it."""
    video = track.probe.main(Medium.VIDEO) if track.track.kind is TrackKind.AUDIO and track.track.shares_segments else None
    return not track.streams and video is not None and video.start is not None


def refuse_missing_media(tracks: Sequence[ProbedTrack], found: Collection[Medium]) -> None:
    """Refuse a period of which a track has nothing that could go into the output, which has the media `found`.

    Raises:
        UnsupportedSourceError: a track has none of the media that it is listed for, or is plain MP4 in several segments.

    """
    for track in tracks:
        if track.probe.container is Container.MP4 and len(track.track.segments) > 1:
            raise UnsupportedSourceError("The segments are plain MP4 files; only fragmented MP4 can be joined.")
        if not track.streams and not (Medium.AUDIO in found and is_silent(track)):
            missing = _MISSING[track.track.kind]
            if len(tracks) == 1:
                raise UnsupportedSourceError(f"A part of the source has {missing}." if found else f"The source contains {missing}.")
            raise UnexpectedMediaError(f"A playlist of the source contains {missing}, although it is listed for that.")


def refuse_codecs(tracks: Sequence[ProbedTrack], output_format: OutputFormat) -> None:
    """Refuse what MP4 cannot hold and is not re-encoded.

    Raises:
        UnsupportedSourceError: there is such a stream.

    """
    for stream in (stream for track in tracks for stream in track.streams):
        is_video, is_decodable = stream.medium is Medium.VIDEO, stream.codec in DECODABLE
        if stream.codec in (MP4_VIDEO_CODECS if is_video else MP4_AUDIO_CODECS) or (is_decodable and output_format.encoder(stream)):
            continue
        way_out = (
            f"video={VideoMode.H264.value} re-encodes it" if is_video else f"without audio_codec={AudioMode.COPY.value} it is re-encoded"
        )
        raise UnsupportedSourceError(
            f"The {stream.medium.value} of the source is {stream.codec}, which cannot be put into an MP4 as it is"
            + (f"; {way_out}." if is_decodable else ", and ffmpeg cannot decode it.")
        )


def _refuse_change(first: Mapping[Medium, Stream], later: Mapping[Medium, Stream]) -> None:
    """Refuse a period that cannot be joined to the first one."""
    if Medium.VIDEO in first and Medium.VIDEO not in later:
        raise UnsupportedSourceError("A part of the source has no video.")
    if Medium.AUDIO in first and Medium.AUDIO not in later and not can_encode_as(first[Medium.AUDIO]):
        raise UnsupportedSourceError("A part of the source has no audio.")
    for medium, other in later.items():
        stream = first[medium]
        if stream.codec != other.codec:
            raise UnsupportedSourceError(f"The {medium.value} changes from {stream.codec} to {other.codec} within the source.")
        if (stream.sample_rate, stream.channels) != (other.sample_rate, other.channels):
            raise UnsupportedSourceError("The audio changes its sampling rate or its channels within the source.")
