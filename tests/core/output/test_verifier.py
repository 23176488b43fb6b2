from collections.abc import Callable

import pytest
from peers.remuxed_periods import A, Source, join, verify

from transcoder.core.media.streams import Medium
from transcoder.errors import TranscodeError


def test_a_whole_output_is_found_whole(period: Callable[[Source], bytes]) -> None:
    output, _, joiner = join([period(A)], seconds=4.05)
    whole = verify(output, tolerance=0.1)
    assert whole.length == len(output)
    assert whole.announced == pytest.approx(4.05, abs=0.0001)
    assert whole.sent == pytest.approx(max(joiner.seconds.values()), abs=0.0001)
    assert whole.samples[Medium.VIDEO] == 100


@pytest.mark.parametrize("announced", [3.3, 4.0, 8.0])
def test_an_output_is_whole_whatever_its_header_announces(announced: float, period: Callable[[Source], bytes]) -> None:
    whole = verify(join([period(A)], seconds=announced)[0])
    assert whole.announced == pytest.approx(announced, abs=0.0001)
    assert whole.sent == pytest.approx(4.0, abs=0.1)


def test_an_output_that_stops_anywhere_is_not_whole(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    index = len(output) - int.from_bytes(output[-4:])
    last = output.rindex(b"moof") - 4
    for end in (0, 10, 500, 1_500, 60_000, last, last + 100, index - 1, index, index + 9, len(output) - 1):
        with pytest.raises(TranscodeError):
            verify(output[:end])


def test_bytes_lost_or_put_in_are_found(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    fragment, following = (output.index(b"moof", start) - 4 for start in (20_000, 80_000))
    for broken in (
        output[:50_000] + output[50_001:],
        output[:50_000] + b"x" + output[50_000:],
        output[:fragment] + output[following:],
        output + output,
    ):
        with pytest.raises(TranscodeError):
            verify(broken)


def test_an_index_whose_box_reaches_to_its_end_is_refused(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    at = output.rindex(b"mfro") - 4
    with pytest.raises(TranscodeError, match="mfro"):
        verify(output[:at] + bytes(4) + output[at + 4 :])
