"""One table of limits: nothing that is limited is missing in it, and the document is the table."""

import ast
from pathlib import Path

from peers.program_modules import MODULES, PACKAGE, nodes_of

from transcoder.limits import LIMITS, markdown
from transcoder.settings import Settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "limits.md"
TOLERANCES = frozenset(
    {
        # How far apart is still the same: they judge media, and nothing grows up to them.
        *("core.media.mp4_source.inspector._MAX_OVERLAP_SECONDS", "core.media.mpegts.packet_columns.MAX_PACKETS"),
        *("core.media.mpegts.decode_times._MAX_UNEVENNESS", "core.media.mpegts.elementary_stream._MAX_FRAME_SECONDS"),
        *("core.media.no_media.MAX_EMPTY_SECONDS", "core.media.no_media.MAX_SECONDS_OF_NOTHING"),
        "core.media.segment_plausibility._MAX_LAST_EXCESS_SECONDS",
        *("core.media.passed_segment.MAX_REORDERED", "core.media.timestamp_leaps._MAX_LONE_OVERLAP_SECONDS"),
        *("core.media.timestamps.MAX_REORDERING_SECONDS", "core.output.period_placement._MAX_CLOCK_GAP"),
        *("core.output.period_placement._MAX_CLOCK_OVERLAP", "core.output.track_ends._MAX_LEAP_SECONDS"),
        *("core.output.timeline._MAX_DROPPED_SECONDS", "core.output.timeline.MAX_AUDIO_EXCESS_SECONDS"),
        *("core.output.written_samples._MAX_ONE_TICK", "core.output.track_ends._MAX_INEXACTNESS_SECONDS"),
        *("core.media.mpegts.ends._MAX_UNEVENNESS", "core.output.video_timeline._MAX_SLIDE_FACTOR"),
        *("core.media.mpegts.audio_writer.MAX_DEVIATION_SECONDS", "core.output.period_placement.MAX_AUDIO_OVERLAP_SECONDS"),
        # What a format can hold.
        *(
            "core.media.mp4.box_header._MAX_SHORT_SIZE",
            "core.media.mp4.movie._MAX_31",
            "core.media.mp4.movie._MAX_32",
            "core.output.ffmpeg_command._MAX_SAMPLE_RATE",
        ),
        "core.media.mp4_source.decoding_delay.MAX_DELAY_FRAMES",
        "core.media.mpegts.payload_units._MAX_HEADER_BYTES",
        *("core.media.mp4.sample_entry._MAX_LENGTH_BYTES", "core.media.reencoded_audio._MAX_HALVED_RATE"),
    }
)


def constants() -> set[str]:
    """Return the constants of the package whose names say that they limit something."""
    found = set()
    for path in MODULES:
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        tree = nodes_of(path)[0]
        assert isinstance(tree, ast.Module)
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            found |= {f"{module}.{name}" for name in names if name.isupper() and {"MAX", "LIMIT"} & set(name.split("_"))}
    return found


def test_each_limit_is_in_the_table_once() -> None:
    keys = [limit.key for limit in LIMITS]
    assert sorted(set(keys)) == sorted(keys)


def test_no_constant_is_missing() -> None:
    """A new constant goes into the table in transcoder/limits.py, or into TOLERANCES if nothing grows up to it."""
    assert constants() - TOLERANCES == {limit.key for limit in LIMITS if not limit.is_setting}
    assert constants() >= TOLERANCES


def test_no_setting_is_missing() -> None:
    """A new setting that is a number goes into the table in transcoder/limits.py."""
    numbers = {name for name, default in Settings._field_defaults.items() if type(default) in {int, float}}
    assert numbers == {limit.key for limit in LIMITS if limit.is_setting}


def test_each_limit_has_a_value_a_unit_and_a_consequence() -> None:
    for limit in LIMITS:
        assert limit.default >= 0, limit.key
        assert limit.unit or "umber" in limit.limits, limit.key
        assert limit.limits, limit.key
        assert limit.told, limit.key


def test_the_document_is_the_table() -> None:
    """`python -m transcoder.limits` prints what belongs below the introduction."""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document[document.index("\n## ") + 1 :] == markdown()
