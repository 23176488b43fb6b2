"""Parses Reddit's links, feeds, pages, JSON documents and refusals into values; sends no requests."""

from transcoder.core.source.reddit.answers import Answer, Asked, Blocked, Found, NotThere, crossposted, unanswered_error
from transcoder.core.source.reddit.dash import Mp4Files, audio_file_urls, mp4_files
from transcoder.core.source.reddit.embed import embed_url, read_embed
from transcoder.core.source.reddit.feed import NO_ENTRY, feed_url, read_feed
from transcoder.core.source.reddit.links import HostedVideo, PostLink, ShareLink, parse_link, with_subtitles
from transcoder.core.source.reddit.post import Image, Post, Video, hosted, read_post
from transcoder.core.source.reddit.refusals import is_html, read_refusal, refused, refused_detour
from transcoder.core.source.reddit.replies import parse_reply, read_json, read_token

__all__ = [
    "NO_ENTRY",
    "Answer",
    "Asked",
    "Blocked",
    "Found",
    "HostedVideo",
    "Image",
    "Mp4Files",
    "NotThere",
    "Post",
    "PostLink",
    "ShareLink",
    "Video",
    "audio_file_urls",
    "crossposted",
    "embed_url",
    "feed_url",
    "hosted",
    "is_html",
    "mp4_files",
    "parse_link",
    "parse_reply",
    "read_embed",
    "read_feed",
    "read_json",
    "read_post",
    "read_refusal",
    "read_token",
    "refused",
    "refused_detour",
    "unanswered_error",
    "with_subtitles",
]
