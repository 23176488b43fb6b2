"""Has h11 read header fields in linear time.

Its own expression tries every way of dividing a run of blanks between the two sides of an empty value: 90 kB of blanks before a byte that
is not allowed took 17 seconds, in which nothing else in the process had its turn. h11 has no setting for it.
"""

import re

from h11 import _readers
from h11._abnf import field_name, field_vchar

_FIELD = re.compile(
    rf"(?P<field_name>{field_name}):[ \t]*+(?P<field_value>(?:{field_vchar}++(?:[ \t]++(?={field_vchar}))?+)*+)[ \t]*+".encode("ascii")
)
"""The same grammar (RFC 9110, 5.5), without giving back what has matched."""


def read_in_linear_time() -> None:
    """Change h11 for the whole process: for origins, the Runtime API and the emulator."""
    _readers.header_field_re = _FIELD
