"""What the tests of the application share: a source, and an empty bucket."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers.origin import Origin
from peers.source_files import files_in
from peers.storage import Storage, storage

Media = Callable[[str], Path]


@pytest.fixture
def origin(media: Media, serve: Serve) -> Origin:
    """A source that has no map."""
    return serve(files_in(media("ts-muxed")))


@pytest.fixture(scope="session")
def served() -> Iterator[Storage]:
    with storage() as found:
        yield found


@pytest.fixture
def s3(served: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """An empty bucket. This process finds it and its keys by AWS's variables, as the function does."""
    for name, value in served.environ.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    served.clear()
    return served
