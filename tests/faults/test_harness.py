"""The harness of `make faults` itself: its runs can be replayed, and its verdicts are right."""

import io
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from random import Random
from signal import SIGKILL

import av
import httpx
import pytest
from faults import changes, run
from faults.drawing import UNDISTURBED, Class, Fault, Feature, Run, Way, draw
from faults.exchange import close_early, status
from faults.faulty_origin import faulty_origin
from faults.kinds import KINDS
from faults.processes import group_members, remaining
from faults.report import Result, report
from faults.source import TRACKS, Role, source
from faults.verdict import Outcome, Verdict, judge

SEED = "harness"
QUIET = Run(SEED, 0, source("faults-ts-muxed"), Way.GET, Feature.PLAIN, UNDISTURBED, Fault())


def random_of(number: int) -> Random:
    return Random(number)  # noqa: S311  # nothing secret


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and stop of each top-level box."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at, at + size
        at += size


@pytest.fixture(scope="module")
def bench() -> Iterator[run.Bench]:
    with run.Bench.open() as opened:
        yield opened


@pytest.fixture
def output(bench: run.Bench) -> Path:
    """An undisturbed output, in fragments."""
    return bench.undisturbed["faults-ts-muxed"]


def exchange_log(drawn: Run) -> list[tuple[int, bytes]]:
    """Ask four times for each piece that is disturbed and for one that is not, the last time for its end; return what comes back."""
    found = []
    with faulty_origin(drawn) as server, httpx.Client(trust_env=False, timeout=0.3) as client:
        for piece in (*sorted(drawn.fault.pieces, key=str), drawn.source.pieces[0]):
            fields = {} if piece.stop is None else {"Range": f"bytes={piece.start}-{piece.stop - 1}"}
            requests = (fields, fields, fields, fields or {"Range": "bytes=-1000"})
            found += [reply(client, server.url(piece.path), headers) for headers in requests]
    return found


def reply(client: httpx.Client, url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    try:
        response = client.get(url, headers=headers)
    except httpx.TransportError as error:
        return 0, type(error).__name__.encode()
    return response.status_code, response.content


@pytest.mark.parametrize("number", range(12))
def test_a_run_is_the_same_each_time(number: int) -> None:
    first, second = draw(SEED, number), draw(SEED, number)
    assert str(first) == str(second)
    assert first.fault.changed == second.fault.changed
    assert exchange_log(first) == exchange_log(second)


def test_seed_and_number_make_different_runs() -> None:
    assert len({str(draw(SEED, number)) for number in range(100)}) > 90
    assert str(draw(SEED, 0)) != str(draw("another", 0))


def test_every_kind_way_feature_and_source_is_drawn() -> None:
    runs = [draw(SEED, number) for number in range(1500)]
    assert {each.kind for each in runs} == {*KINDS, UNDISTURBED}
    assert {each.source.name for each in runs} == set(TRACKS)
    assert {(each.way, each.feature) for each in runs} == {(way, feature) for way in Way for feature in Feature}
    assert {each.class_ for each in runs} == set(Class)
    assert 0.07 < sum(each.kind == UNDISTURBED for each in runs) / len(runs) < 0.13


def test_changes_alter_what_they_are_drawn_for() -> None:
    for drawn in (draw(SEED, number) for number in range(500)):
        for piece, content in drawn.fault.changed.items():
            assert content != drawn.source.content(piece), str(drawn)


@pytest.mark.parametrize("name", ["faults-ts-muxed", "faults-fragments"])
def test_an_altered_payload_keeps_sizes_and_times(name: str) -> None:
    chosen = source(name)
    init = b"".join(chosen.content(piece) for piece in chosen.of(Role.INIT))

    def packets(data: bytes) -> list[tuple[int | None, int | None, int, bytes]]:
        with av.open(io.BytesIO(init + data), "r") as container:
            return [(packet.pts, packet.dts, packet.size, bytes(packet)) for packet in container.demux() if packet.size]

    for number, piece in enumerate(chosen.segments()):
        before = packets(chosen.content(piece))
        after = packets(changes.altered_payload(chosen, piece, random_of(number))[piece])
        assert [packet[:3] for packet in after] == [packet[:3] for packet in before]
        assert sum(ours != theirs for ours, theirs in zip(after, before, strict=True)) == 1


def test_a_fault_passes_after_as_many_requests_as_it_lasts() -> None:
    piece = QUIET.source.segments()[2]
    fault = Fault(frozenset({piece}), transport=status(503)(random_of(1)), lasts=2)
    with faulty_origin(replace(QUIET, fault=fault)) as server:
        codes = [httpx.get(server.url(piece.path), trust_env=False).status_code for _ in range(4)]
        others = [httpx.get(server.url(other.path), trust_env=False).status_code for other in QUIET.source.segments() if other != piece]
    assert codes == [503, 503, 200, 200]
    assert others == [200] * 5


def test_the_undisturbed_output_and_one_with_other_metadata_are_whole(output: Path, tmp_path: Path) -> None:
    assert judge(Outcome(success=True, file=output), output)[0] is Verdict.WHOLE
    renamed = tmp_path / "renamed.mp4"
    renamed.write_bytes(output.read_bytes().replace(b"Lavf", b"Kavf", 1))
    assert renamed.read_bytes() != output.read_bytes()
    assert judge(Outcome(success=True, file=renamed), output)[0] is Verdict.WHOLE


def test_a_changed_byte_is_a_silent_loss(output: Path, tmp_path: Path) -> None:
    data, doctored = bytearray(output.read_bytes()), tmp_path / "doctored.mp4"
    _, start, stop = [box for box in boxes(bytes(data)) if box[0] == b"mdat"][2]
    data[(start + stop) // 2] ^= 1
    doctored.write_bytes(data)
    verdict, reason = judge(Outcome(success=True, file=doctored), output)
    assert verdict is Verdict.LOSS
    assert "0 packets at other times, 1 with other bytes" in reason


@pytest.mark.parametrize(("ticks", "expected"), [(1, Verdict.WHOLE), (90, Verdict.LOSS)])
def test_packets_at_other_times_are_a_silent_loss_beyond_rounding(ticks: int, expected: Verdict, output: Path, tmp_path: Path) -> None:
    data, doctored = bytearray(output.read_bytes()), tmp_path / "doctored.mp4"
    at = data.rindex(b"tfdt\1") + 8
    struct.pack_into(">Q", data, at, struct.unpack_from(">Q", data, at)[0] + ticks)
    doctored.write_bytes(data)
    verdict, reason = judge(Outcome(success=True, file=doctored), output)
    assert verdict is expected
    assert ("packets at other times, 0 with other bytes" in reason) is (expected is Verdict.LOSS)


def test_a_missing_fragment_is_a_silent_loss(output: Path, tmp_path: Path) -> None:
    data, doctored = output.read_bytes(), tmp_path / "doctored.mp4"
    starts = [start for kind, start, _ in boxes(data) if kind == b"moof"]
    index = next(start for kind, start, _ in boxes(data) if kind == b"mfra")
    doctored.write_bytes(data[: starts[-1]] + data[index:])
    verdict, reason = judge(Outcome(success=True, file=doctored), output)
    assert verdict is Verdict.LOSS
    assert re.search(r"(video|audio): \d+ packets instead of \d+", reason)


def test_a_file_without_its_end_is_a_failure_only_where_that_is_the_sign_of_it(output: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(output.read_bytes()[:-1000])
    assert judge(Outcome(success=True, file=cut, index_is_promised=False), output)[0] is Verdict.FAILED
    assert judge(Outcome(success=True, file=cut), output)[0] is Verdict.LOSS
    assert judge(Outcome(success=True, file=None), output)[0] is Verdict.LOSS
    assert judge(Outcome(success=False, file=cut, detail="exit 4"), output) == (Verdict.FAILED, "exit 4")


def test_hangs_and_leftovers_are_worse_than_any_output(output: Path) -> None:
    assert judge(Outcome(success=True, file=output, hung=True), output)[0] is Verdict.HANG
    assert judge(Outcome(success=True, file=output, detail="exit 0", leftovers=["file x"]), output) == (
        Verdict.LEFTOVER,
        "file x after exit 0",
    )


@pytest.mark.long
@pytest.mark.parametrize("way", Way)
def test_undisturbed_runs_are_whole(way: Way, bench: run.Bench) -> None:
    """Each source, and each feature of an origin."""
    assert len(TRACKS) >= len(Feature)
    for name, feature in zip(TRACKS, cycle(Feature), strict=False):
        result, _ = bench.carry_out(replace(QUIET, source=source(name), way=way, feature=feature))
        assert (result.verdict, result.breaks_promise) == (Verdict.WHOLE, False), str(result)


@pytest.mark.parametrize("way", Way)
def test_a_segment_that_never_arrives_is_a_visible_failure(way: Way, bench: run.Bench) -> None:
    for transport in (status(404), close_early):
        fault = Fault(frozenset({QUIET.source.segments()[3]}), transport=transport(random_of(1)), lasts=None)
        result, requests = bench.carry_out(replace(QUIET, way=way, kind="status-404", fault=fault))
        assert (result.verdict, result.breaks_promise) == (Verdict.FAILED, False), str(result)
        assert "/segment-3.ts" in {request.path for request in requests}


def test_a_process_that_outlives_its_group_leader_is_found() -> None:
    command = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with subprocess.Popen([sys.executable, "-c", command], process_group=0) as leader:
        assert leader.wait() == 0
        assert len(group_members(leader.pid)) == 1
        os.killpg(leader.pid, SIGKILL)
    assert remaining(lambda: group_members(leader.pid)) == set()


def test_the_report_counts_each_loss_and_sets_undecodable_ones_apart() -> None:
    permanent = Fault(lasts=None)
    lost = Result(replace(QUIET, number=7, kind="cut-pes", fault=permanent), Verdict.LOSS, "video: 1 packets instead of 2")
    altered = Result(replace(QUIET, kind="payload-altered", fault=permanent), Verdict.LOSS, "")
    transient = Result(replace(QUIET, kind="reset", feature=Feature.GZIP, fault=Fault(lasts=1)), Verdict.WHOLE, "")
    refused = Result(QUIET, Verdict.FAILED, "exit 4")
    assert [result.breaks_promise for result in (lost, altered, transient, refused)] == [True, False, False, True]
    assert str(lost).endswith("make faults SEED=harness RUN=7")
    text = "\n".join(report([lost, altered, transient, refused]))
    assert "4 runs: 1 whole, 1 visible failures, 1 silent losses, 0 hangs, 0 leftovers" in text
    assert "besides: 1 (25.0 % of all runs)" in text
    assert "undisturbed: 0 of 1 whole (0.0 %)" in text
    assert "with gzip: 1 of 1 whole (100.0 %)" in text
