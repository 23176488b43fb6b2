"""MPEG transport streams (ISO/IEC 13818-1) as HLS segments: probing them, checking them, and counting their samples."""

from transcoder.core.media.mpegts.ends import transport_stream_ends
from transcoder.core.media.mpegts.inspector import TransportInspector
from transcoder.core.media.mpegts.packets import is_transport_init
from transcoder.core.media.mpegts.probe import probe_transport

__all__ = ["TransportInspector", "is_transport_init", "probe_transport", "transport_stream_ends"]
