from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.output.fragment import DataEdit, MediaEditor


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.binary(max_size=3)), max_size=6),
    st.lists(st.integers(0, 60)).map(sorted),
)
def test_edits_are_applied_wherever_the_pieces_are_cut(changes: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    media, edits, expected, at = bytes(range(60)), [], b"", 0
    for gap, drop, insert in changes:
        expected += media[at : at + gap] + insert
        edits.append(DataEdit(100 + at + gap, drop, insert))
        at += gap + drop
    editor = MediaEditor(edits, 100)
    pieces = [media[start:end] for start, end in pairwise([0, *cuts, len(media)])]
    assert b"".join(part for piece in pieces for part in editor.feed(piece)) == expected + media[at:]
