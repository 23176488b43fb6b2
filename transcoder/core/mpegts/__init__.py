"""MPEG transport streams (ISO/IEC 13818-1) as HLS segments: what they hold, whether they are whole, how many samples they bring."""

from transcoder.core.mpegts.inspect import TransportInspector
from transcoder.core.mpegts.packets import is_tables
from transcoder.core.mpegts.probe import probe_transport
from transcoder.core.mpegts.tail import transport_tail_end

__all__ = ["TransportInspector", "is_tables", "probe_transport", "transport_tail_end"]
