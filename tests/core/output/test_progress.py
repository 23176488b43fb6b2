"""Reports of progress: speed and the time that is left."""

from transcoder.core.output.progress import Progress, ProgressMeter


def at(seconds: float, received: int) -> Progress:
    return Progress(seconds, 60.0, received, 6_000_000, 1)


def test_nothing_is_known_of_the_time_that_is_left_before_anything_is_made() -> None:
    report = ProgressMeter(100.0).report(at(0.0, 500_000), 101.0)
    assert report == {
        "event": "progress",
        "seconds": 0.0,
        "total_seconds": 60.0,
        "bytes": 500_000,
        "estimated_bytes": 6_000_000,
        "bytes_per_second": 500_000,
        "seconds_left": None,
    }


def test_the_time_that_is_left_follows_what_is_made() -> None:
    meter = ProgressMeter(100.0)
    assert meter.report(at(15.0, 0), 110.0)["seconds_left"] == 30.0
    assert meter.report(at(60.0, 0), 140.0)["seconds_left"] == 0.0
    assert meter.report(at(61.0, 0), 141.0)["seconds_left"] == 0.0


def test_the_speed_is_that_of_the_last_seconds() -> None:
    meter = ProgressMeter(0.0)
    for second in range(1, 21):
        assert meter.report(at(0.0, second * 1000), float(second))["bytes_per_second"] == 1000
    stalled = [float(meter.report(at(0.0, 20_000), float(second))["bytes_per_second"] or 0) for second in range(21, 32)]
    assert stalled == sorted(stalled, reverse=True)
    assert stalled[-1] == 0


def test_after_a_long_pause_the_speed_is_that_of_the_pause() -> None:
    meter = ProgressMeter(0.0)
    meter.report(at(0.0, 1000), 1.0)
    assert meter.report(at(0.0, 1000), 100.0)["bytes_per_second"] == 0
    assert meter.report(at(0.0, 100_000), 199.0)["bytes_per_second"] == 1000


def test_nothing_is_known_of_the_time_that_is_left_of_an_output_of_unknown_length() -> None:
    meter = ProgressMeter(100.0)
    for made, total in ((0.0, 60.0), (15.0, 0.0), (-1.0, 60.0), (15.0, -1.0)):
        assert meter.report(Progress(made, total, 0, None, 1), 110.0)["seconds_left"] is None
    assert meter.report(Progress(0.5, 1.0, 0, None, 1), 110.0)["seconds_left"] == 10.0


def test_the_speed_of_no_time_at_all_is_that_of_a_millisecond() -> None:
    assert ProgressMeter(5.0).report(at(0.0, 3), 5.0)["bytes_per_second"] == 3000


def test_the_speed_is_counted_from_the_last_report_that_is_ten_seconds_old() -> None:
    meter = ProgressMeter(0.0)
    meter.report(at(0.0, 1000), 1.0)
    meter.report(at(0.0, 5000), 2.0)
    assert meter.report(at(0.0, 5000), 10.999)["bytes_per_second"] == round(5000 / 10.999)
    assert meter.report(at(0.0, 5000), 11.0)["bytes_per_second"] == 400
    assert meter.report(at(0.0, 5000), 12.0)["bytes_per_second"] == 0


def test_a_report_has_seconds_to_the_millisecond() -> None:
    report = ProgressMeter(0.0).report(Progress(1.23456, 60.98765, 7, 9, 1), 3.0)
    assert (report["seconds"], report["total_seconds"], report["bytes"], report["estimated_bytes"]) == (1.235, 60.988, 7, 9)
    assert report["seconds_left"] == round(3.0 * (60.98765 / 1.23456 - 1), 1)
