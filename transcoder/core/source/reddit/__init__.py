"""Parses Reddit's links, JSON documents and refusals into values; sends no requests."""

from transcoder.core.source.reddit.dash import Mp4Files, audio_file_urls, mp4_files
from transcoder.core.source.reddit.links import HostedVideo, PostLink, ShareLink, parse_link, with_subtitles
from transcoder.core.source.reddit.post import Post, Video, read_post
from transcoder.core.source.reddit.replies import parse_reply, parse_token

__all__ = [
    "HostedVideo",
    "Mp4Files",
    "Post",
    "PostLink",
    "ShareLink",
    "Video",
    "audio_file_urls",
    "mp4_files",
    "parse_link",
    "parse_reply",
    "parse_token",
    "read_post",
    "with_subtitles",
]
