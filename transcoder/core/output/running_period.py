"""A period on its way through the joiner."""

from transcoder.core.output.fragment import Fragment, MediaEditor
from transcoder.core.output.header import OutputHeader
from transcoder.core.output.output_boxes import output_reader
from transcoder.core.output.period_placement import Placement
from transcoder.core.output.written_samples import WrittenSamples


class RunningPeriod:
    """The output of one ffmpeg, as far as it has come."""

    def __init__(self, *, is_held: bool, goes_on: bool = False) -> None:
        """Begin before the first byte of its output."""
        self.is_held = is_held
        """Its newest fragment is held back."""
        self.goes_on = goes_on
        """It has the clock of the period before: the time between the two is a pause."""
        self.reader = output_reader()
        self.ftyp = b""
        self.header: OutputHeader | None = None
        self.placement: Placement | None = None
        self.written = WrittenSamples()
        self.fragment: Fragment | None = None
        """The newest."""
        self.has_media = False
        """Whether its `mdat` has begun."""
        self.held: list[bytes] = []
        """Its `mdat` so far, if it is held back."""
        self.editor: MediaEditor | None = None
        """If it is not: what the rest of its `mdat` passes through."""
