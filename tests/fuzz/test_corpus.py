"""The inputs in `tests/corpus/`, and a few changed ones, show no defect in any parser."""

import pytest
from fuzz.mutations import Mutator
from fuzz.parser import CORPUS
from fuzz.registry import PARSERS
from fuzz.run import try_input


@pytest.mark.parametrize("name", PARSERS)
def test_no_input_shows_a_defect(name: str) -> None:
    parser, mutator = PARSERS[name], Mutator(PARSERS[name], "test")
    for data in (*parser.seeds, *(mutator.next() for _ in range(50))):
        defect = try_input(parser, data)
        assert not defect, (data[:200], defect)


def test_each_folder_of_the_corpus_belongs_to_a_parser() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} <= PARSERS.keys()
