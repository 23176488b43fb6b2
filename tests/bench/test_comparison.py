"""What `make bench` says of an output that is not whole, and of a ratio."""

from collections.abc import Callable
from pathlib import Path

import pytest
from generated_video import ffmpeg_path, run_ffmpeg

from bench import report
from bench.cells import Target
from bench.contestants import FRAGMENTED
from bench.packets import Comparison, packets
from bench.results import Entry, ratios
from bench.run_command import ContestantError, Figures, run

Media = Callable[[str], Path]
TARGET = Target("first byte, warm ÷ ffmpeg, 0/ts", "0/ts", "first_byte", "warm", ("ffmpeg", "other"), was=2.0, target=1.0)


def entry(first_byte: float, fault: str = "") -> Entry:
    return Entry([Figures(first_byte, 1.0, 1.0, 1_000_000)], [0.1], fault)


def test_an_output_without_its_last_second_has_lost_packets(media: Media, tmp_path: Path) -> None:
    source = media("ts-muxed") / "segment-0.ts"
    run_ffmpeg("-i", source, "-c", "copy", tmp_path / "whole.mp4")
    run_ffmpeg("-i", source, "-c", "copy", "-t", "1", tmp_path / "cut.mp4")
    whole, cut = packets(tmp_path / "whole.mp4"), packets(tmp_path / "cut.mp4")
    assert packets(source) == whole
    assert not cut - whole
    assert (whole - cut).total() > 20


@pytest.mark.parametrize(
    ("comparison", "text"),
    [
        pytest.param(Comparison(10, 10, 0), "", id="all packets"),
        pytest.param(Comparison(10, 8, 2), "lost 2 of 10 packets", id="fewer"),
        pytest.param(Comparison(10, 11, 0), "1 packets too many", id="more"),
        pytest.param(Comparison(10, 10, 3), "changed 3 of 10 packets", id="others"),
    ],
)
def test_a_comparison_names_what_is_not_whole(comparison: Comparison, text: str) -> None:
    assert str(comparison) == text


@pytest.mark.parametrize(
    ("own", "verdict"), [pytest.param(4.0, "missed", id="4"), pytest.param(2.9, "half-way", id="1.45"), pytest.param(2.0, "met", id="1")]
)
def test_a_ratio_is_that_to_the_best_peer_which_lost_nothing(own: float, verdict: str) -> None:
    entries = {"warm": entry(own), "ffmpeg": entry(2.0), "other": entry(0.1, "lost 1 of 2 packets")}
    (ratio,) = ratios({"0/ts": entries}, [TARGET])
    assert (ratio.value, ratio.verdict) == (own / 2.0, verdict)


def test_there_is_no_ratio_if_our_own_output_is_not_whole() -> None:
    assert ratios({"0/ts": {"warm": entry(1.0, "lost 1 of 2 packets"), "ffmpeg": entry(2.0)}}, [TARGET]) == []


def test_the_short_table_shows_a_loss_in_place_of_figures() -> None:
    table = report.markdown({"0/ts": {"warm": entry(0.5), "floor": entry(0.1, "lost 1 of 2 packets")}}, ["0/ts"])
    assert "| Transcoder, warm | 500 / 1.00 / 1.00 / 1 |" in table
    assert "| curl, then ffmpeg | lost 1 of 2 packets |" in table


def test_a_program_is_measured_with_all_that_it_starts(media: Media, tmp_path: Path) -> None:
    output, command = tmp_path / "output.mp4", [ffmpeg_path(), "-v", "error", "-i", str(media("ts-muxed") / "segment-0.ts"), *FRAGMENTED]
    alone = run(command, output=output, environ={})
    shell = run(["/bin/sh", "-c", '"$@"; "$@"; exit 0', "sh", *command], output=tmp_path / "two.mp4", environ={})
    assert 0 < alone.first_byte_seconds <= alone.total_seconds
    assert shell.cpu_seconds > alone.cpu_seconds > 0
    assert (tmp_path / "two.mp4").stat().st_size == 2 * output.stat().st_size


def test_the_memory_of_a_program_is_that_of_its_children_too(tmp_path: Path) -> None:
    # Longer than the pause between two looks: a program that ends before the first one has no memory that anybody has seen.
    hold = "head -c 20000000 /dev/zero | sort -z | { sleep 1; wc -c; }"
    assert run(["/bin/sh", "-c", hold], output=tmp_path / "output", environ={}).resident_bytes > 5_000_000


def test_a_program_that_fails_is_a_failure_with_its_message(tmp_path: Path) -> None:
    with pytest.raises(ContestantError, match="exit code 3: went wrong"):
        run(["/bin/sh", "-c", "echo went wrong >&2; exit 3"], output=tmp_path / "output", environ={})
