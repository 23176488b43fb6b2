"""The MP4 files of a video that has no playlist, or no longer has one."""

from transcoder.core.media.mp4.sidx import indexed_seconds
from transcoder.core.source.reddit import Mp4Files, Video, audio_file_urls, mp4_files
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UnsupportedSourceError, UpstreamError

_HEAD_BYTES = 64 * 1024


async def find_mp4_files(video: Video, *, height: int | None, fetcher: Fetcher) -> Mp4Files:
    """Return the files of a video, from its DASH manifest or from the address of its video file.

    Raises:
        UpstreamError: they cannot be fetched.
        UnsupportedSourceError: there are none.

    """
    try:
        if video.dash:
            manifest = await fetcher.playlist(video.dash)
            return mp4_files(manifest.text, manifest.url, height=height)
    except (UpstreamError, UnsupportedSourceError):
        if not video.fallback:
            raise
    if not video.fallback:
        raise UnsupportedSourceError("Reddit lists no file for this video.")
    audio = None if video.silent else await _find_audio(video.fallback, fetcher)
    seconds = video.seconds or indexed_seconds(await fetcher.first_bytes(video.fallback, size=_HEAD_BYTES))
    return Mp4Files(video.fallback, audio, seconds, min(video.size) if video.size else None)


async def _find_audio(video_url: str, fetcher: Fetcher) -> str | None:
    """Find the audio file among the names that Reddit has used for it; None if there is none: the video is silent."""
    for url in audio_file_urls(video_url):
        try:
            if await fetcher.first_bytes(url, size=16, guessed=True):
                return url
        except UpstreamError as error:
            if error.origin_status not in {403, 404, 410}:
                raise
    return None
