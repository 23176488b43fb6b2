"""MPEG transport streams (ISO/IEC 13818-1) as HLS segments: probing them, checking them, and counting their samples."""

from transcoder.core.media.mpegts.ends import media_at_end, packet_ends, transport_stream_ends
from transcoder.core.media.mpegts.inspector import TransportInspector
from transcoder.core.media.mpegts.packets import is_transport_init
from transcoder.core.media.mpegts.probe import probe_tables, probe_transport
from transcoder.core.media.mpegts.tables_only import has_tables_only

__all__ = [
    "TransportInspector",
    "has_tables_only",
    "is_transport_init",
    "media_at_end",
    "packet_ends",
    "probe_tables",
    "probe_transport",
    "transport_stream_ends",
]
