"""What the tests of the output share."""

from collections.abc import Callable

import pytest
from peers.remuxed_periods import JOINABLE, Source, run, transport_stream


@pytest.fixture(scope="session")
def period(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Source], bytes]:
    """Make what one ffmpeg writes for a source, once."""
    folder = tmp_path_factory.mktemp("periods")
    made: dict[Source, bytes] = {}

    def make(source: Source) -> bytes:
        if source not in made:
            path = transport_stream(source, folder / f"{len(made)}.ts")
            filters = ["aac_adtstoasc"] * (source.codec == "aac") + [f"noise=drop='{source.drop}'"] * bool(source.drop)
            made[source] = run(
                *("-copyts", "-f", "mpegts", "-i", str(path)),
                *(["-bsf:a", ",".join(filters)] if filters and source.audio else []),
                *JOINABLE,
            )
        return made[source]

    return make
