"""Fragmented MP4 (CMAF) segments as HLS sends them: what they hold, whether they are whole, how many samples they bring."""

from transcoder.core.fmp4_source.inspect import FragmentInspector
from transcoder.core.fmp4_source.probe import fragment_end, probe_fragments

__all__ = ["FragmentInspector", "fragment_end", "probe_fragments"]
