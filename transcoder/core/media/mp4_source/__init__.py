"""Fragmented MP4 (CMAF) segments as HLS sends them: what they hold, whether they are whole, how many samples they bring."""

from transcoder.core.media.mp4_source.inspector import FragmentInspector
from transcoder.core.media.mp4_source.plain_file import FileInspector, file_tracks, moov_is_behind, probe_file
from transcoder.core.media.mp4_source.probe import fragment_ends, probe_fragments

__all__ = [
    "FileInspector",
    "FragmentInspector",
    "file_tracks",
    "fragment_ends",
    "moov_is_behind",
    "probe_file",
    "probe_fragments",
]
