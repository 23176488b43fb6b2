"""A period on its way through the joiner."""

from dataclasses import dataclass, field

from transcoder.core.media.mp4.box_reader import BoxReader
from transcoder.core.output.fragment import Fragment, MediaEditor
from transcoder.core.output.header import OutputHeader
from transcoder.core.output.output_boxes import output_reader
from transcoder.core.output.period_placement import Placement
from transcoder.core.output.written_samples import WrittenSamples


@dataclass(slots=True)
class RunningPeriod:
    """The output of one ffmpeg, as far as it has come."""

    is_held: bool
    """Its newest fragment is held back."""
    goes_on: bool = False
    """Its clock is that of the period before, so that what lies between is a pause."""
    reader: BoxReader = field(default_factory=output_reader)
    ftyp: bytes = b""
    header: OutputHeader | None = None
    placement: Placement | None = None
    written: WrittenSamples = field(default_factory=WrittenSamples)
    fragment: Fragment | None = None
    """The newest."""
    has_media: bool = False
    """Whether its `mdat` has begun."""
    held: list[bytes] = field(default_factory=list)
    """Its `mdat` so far, if it is held back."""
    editor: MediaEditor | None = None
    """If it is not: what the rest of its `mdat` passes through."""
