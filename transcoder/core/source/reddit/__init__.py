"""Reddit's links, its JSON and its refusals, as values; nothing here asks anybody."""

from transcoder.core.source.reddit.answers import read_answer, read_token
from transcoder.core.source.reddit.dash import Mp4Files, mp4_files, sound_names
from transcoder.core.source.reddit.links import HostedVideo, PostLink, ShareLink, parse_link
from transcoder.core.source.reddit.post import Post, Video, read_post

__all__ = [
    "HostedVideo",
    "Mp4Files",
    "Post",
    "PostLink",
    "ShareLink",
    "Video",
    "mp4_files",
    "parse_link",
    "read_answer",
    "read_post",
    "read_token",
    "sound_names",
]
