"""MP4 as a source: fragmented MP4 (CMAF) segments and plain files; what they hold, whether they are whole, how many samples they have."""

from transcoder.core.media.mp4_source.inspector import FragmentInspector, PlainFileInspector
from transcoder.core.media.mp4_source.plain_file import plain_file_tracks, probe_plain_file
from transcoder.core.media.mp4_source.probe import fragment_ends, has_no_samples, probe_fragments

__all__ = [
    "FragmentInspector",
    "PlainFileInspector",
    "fragment_ends",
    "has_no_samples",
    "plain_file_tracks",
    "probe_fragments",
    "probe_plain_file",
]
