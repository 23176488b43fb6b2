"""Tests the table of parameters."""

import re

from transcoder.core.request.job import Job
from transcoder.core.request.parameters import PARAMETERS


def test_every_parameter_is_valid_in_a_query_and_on_a_command_line() -> None:
    names = [parameter.name for parameter in PARAMETERS]
    assert len(set(names)) == len(names)
    assert set(Job._fields) == {"url", *names}
    for parameter in PARAMETERS:
        assert re.fullmatch(r"[a-z_]+", parameter.name)
