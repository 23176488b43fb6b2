"""MPEG transport streams (ISO/IEC 13818-1) as HLS segments: what they hold, whether they are whole, how many samples they bring."""

from transcoder.core.media.mpegts.ends import transport_stream_ends
from transcoder.core.media.mpegts.inspector import TransportInspector
from transcoder.core.media.mpegts.packets import is_tables
from transcoder.core.media.mpegts.probe import probe_transport

__all__ = ["TransportInspector", "is_tables", "probe_transport", "transport_stream_ends"]
