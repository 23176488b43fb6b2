"""Periods whose times are known to the tick, joined: where each sample lies, what is held back, and what is refused."""

from collections.abc import Sequence

import pytest
from peers.exact_fragments import AUDIO, VIDEO, Run, fragment, frames, header, pictures, samples
from peers.remuxed_periods import verify

from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.errors import TranscodeError

ORDER = (0, 3, 1, 2, 4)


def period(at: int, first: int, *, media: Sequence[Medium] = (VIDEO, AUDIO), delay: int = 125) -> bytes:
    """Return ten pictures from `at` eighths of a second on, in two fragments, and audio for as long; data count on from `first`."""
    data = header(*media)
    for number in range(2):
        video = pictures(first + 5 * number, ORDER, time=125 * (at + 5 * number) - delay, delay=delay)
        audio = frames(first + 10 * number, 10, time=64 * (at + 5 * number))
        data += fragment(*(run for run in (video, audio) if run.medium in media), number=number + 1)
    return data


def joined(*periods: bytes, goes_on_from: float | None = None) -> bytes:
    joiner, output = Joiner(Durations(60.0, {})), b""
    for number, data in enumerate(periods):
        joiner.begin_period(last=number == len(periods) - 1, goes_on_from=goes_on_from if number else None)
        output += b"".join([*joiner.feed(data), *joiner.end_period()[0]])
    output += joiner.finish()
    assert joiner.bytes_out == len(output)
    verify(output)
    return output


def shown(output: bytes, medium: Medium) -> dict[int, int]:
    """Return when each sample is presented, in eighths or sixteenths of a second."""
    unit = {VIDEO: 125, AUDIO: 32}[medium]
    found = {sample.data[1]: divmod(sample.shown, unit) for sample in samples(output)[medium] if sample.data[0] in {0xA0, 0xB0}}
    assert all(rest == 0 for _, rest in found.values())
    return {number: whole for number, (whole, _) in found.items()}


@pytest.mark.parametrize("at", [0, 80, 8 * 90_000])
@pytest.mark.parametrize("delay", [0, 125, 375])
def test_samples_of_one_period_lie_where_they_do_in_the_source(at: int, delay: int) -> None:
    output = joined(period(at, 0, delay=delay))
    assert shown(output, VIDEO) == {5 * part + number: 5 * part + place for part in range(2) for number, place in enumerate(ORDER)}
    assert shown(output, AUDIO) == {number: number for number in range(20)}


@pytest.mark.parametrize(
    "second",
    [pytest.param(10, id="the same clock"), pytest.param(800, id="a later one"), pytest.param(-800, id="an earlier one")],
)
@pytest.mark.parametrize("media", [(VIDEO, AUDIO), (VIDEO,), (AUDIO,)], ids=["both", "video", "audio"])
def test_a_later_period_goes_on_to_the_tick(second: int, media: Sequence[Medium]) -> None:
    output = joined(period(0, 0, media=media), period(second, 50, media=media))
    if VIDEO in media:
        whole = {
            first + 5 * part + number: first // 5 + 5 * part + place
            for first in (0, 50)
            for part in range(2)
            for number, place in enumerate(ORDER)
        }
        assert shown(output, VIDEO) == whole
    if AUDIO in media:
        assert shown(output, AUDIO) == {first + number: first * 2 // 5 + number for first in (0, 50) for number in range(20)}


@pytest.mark.parametrize("pause", [0, 8, 80])
def test_a_pause_on_the_same_clock_stays_where_it_is_known_to_be_one(pause: int) -> None:
    periods = [period(0, 0), period(10 + pause, 50)]
    for goes_on_from, stays in ((10 / 8, True), (None, pause == 0)):
        output = joined(*periods, goes_on_from=goes_on_from)
        assert min(place for number, place in shown(output, VIDEO).items() if number >= 50) == 10 + (pause if stays else 0)
        assert shown(output, AUDIO)[50] == 20 + (2 * pause if stays else 0)


def test_fragments_are_numbered_and_those_of_all_periods_are_listed() -> None:
    whole = verify(joined(period(0, 0), period(800, 50)))
    assert (whole.fragments, whole.samples, whole.sent) == (4, {VIDEO: 20, AUDIO: 40}, 2.5)


@pytest.mark.parametrize("kind", [b"ftyp", b"moov"])
def test_a_second_header_is_refused(kind: bytes) -> None:
    data, head = period(0, 0), header(VIDEO, AUDIO)
    second = head[20:] if kind == b"moov" else head[:20]
    joiner = Joiner(Durations(60.0, {}))
    joiner.begin_period()
    with pytest.raises(TranscodeError, match="second header"):
        joiner.feed(head + second + data[len(head) :])


def test_a_fragment_before_its_header_or_two_without_media_are_refused() -> None:
    data, head = period(0, 0), header(VIDEO, AUDIO)
    first = data[len(head) : data.index(b"mdat") - 4]
    for wrong in (data[len(head) :], head + first + first):
        joiner = Joiner(Durations(60.0, {}))
        joiner.begin_period()
        with pytest.raises(TranscodeError, match="without its header or its media"):
            joiner.feed(wrong)


def test_media_that_no_fragment_describes_are_refused() -> None:
    data, head = period(0, 0), header(VIDEO, AUDIO)
    media = data[data.index(b"mdat") - 4 : data.index(b"moof", data.index(b"mdat")) - 4]
    for wrong in (head + media, data + media):
        joiner = Joiner(Durations(60.0, {}))
        joiner.begin_period()
        with pytest.raises(TranscodeError, match="media that no fragment describes"):
            joiner.feed(wrong)
    shorter = data.replace(media, (len(media) - 1).to_bytes(4, "big") + media[4:-1])
    with pytest.raises(TranscodeError, match="do not lie in its media"):
        joined(shorter)


def slide_show(first: int, *, at: int = 0) -> bytes:
    """Return two slides, 2 s apart, of which ffmpeg supposes that the last one lasts 40 ms."""
    return header(VIDEO) + fragment(Run(VIDEO, at, [2000, 40], [bytes([0xA0, first]), bytes([0xA0, first + 1])]))


@pytest.mark.parametrize(("last", "ends_with_slide"), [(True, True), (False, False), (True, False)])
@pytest.mark.parametrize(("seconds", "length"), [(5.0, 5000), (2.1, 2040), (0.0, 2040)])
def test_a_slide_at_the_end_stays_as_long_as_its_period(last: bool, ends_with_slide: bool, seconds: float, length: int) -> None:  # noqa: FBT001  # columns
    joiner = Joiner(Durations(60.0, {}))
    joiner.begin_period(last=last, ends_with_slide=ends_with_slide)
    output = b"".join(joiner.feed(slide_show(0, at=300)))
    is_held = not last or ends_with_slide
    assert (output.count(b"moof") == 0) is is_held
    output += b"".join(joiner.end_period(seconds)[0])
    assert joiner.seconds == {VIDEO: length / 1000}
    if not last:
        joiner.begin_period()
        output += b"".join([*joiner.feed(slide_show(2, at=9000)), *joiner.end_period()[0]])
    output += joiner.finish()
    found = samples(output)[VIDEO]
    assert found[1].duration == (length - 2000 if is_held else 40)
    if not last:
        assert (found[2].shown, found[2].decoded) == (length, length)


def test_audio_that_is_too_long_ends_with_its_period_only_if_another_one_was_expected() -> None:
    """Eleven sixteenths of a second of audio beside five eighths of video, which is less than what a picture stays for."""
    data = header(VIDEO, AUDIO) + fragment(
        pictures(0, ORDER, delay=0), Run(AUDIO, 0, [32] * 10 + [20], [bytes([0xB0, n]) for n in range(11)])
    )
    for last, count in ((True, 11), (False, 10)):
        joiner = Joiner(Durations(60.0, {}))
        joiner.begin_period(last=last)
        output = b"".join([*joiner.feed(data), *joiner.end_period()[0], joiner.finish()])
        assert len(samples(output)[AUDIO]) == count
        assert verify(output).samples == {VIDEO: 5, AUDIO: count}


@pytest.mark.parametrize(("held", "is_held"), [(24, False), (25, True)])
def test_a_fragment_is_held_back_up_to_a_number_of_bytes(held: int, is_held: bool) -> None:  # noqa: FBT001  # a column
    data = header(VIDEO, AUDIO) + fragment(pictures(0, ORDER), frames(0, 5, time=64))
    joiner = Joiner(Durations(60.0, {}), max_held=held)
    joiner.begin_period(last=False)
    assert (b"".join(joiner.feed(data)).count(b"moof") == 0) is is_held


def test_a_joiner_says_what_it_has_made() -> None:
    joiner = Joiner(Durations(60.0, {VIDEO: 3.0}))
    assert (joiner.bytes_out, joiner.has_output, joiner.seconds, joiner.durations) == (0, False, {}, Durations(60.0, {VIDEO: 3.0}))
    joiner.begin_period()
    assert joiner.feed(header(VIDEO, AUDIO)) == []
    assert not joiner.has_output
    parts = joiner.feed(fragment(pictures(0, ORDER), frames(0, 10, time=64)))
    assert joiner.bytes_out == sum(map(len, parts))
    assert (joiner.has_output, joiner.seconds) == (True, {VIDEO: 0.625, AUDIO: 0.625})
