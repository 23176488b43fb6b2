"""Encrypted segments whose end shows that something is missing: a packager pads all of them, or none."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Serve
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fault_sets import KEY
from peers.application import Answered, ask
from peers.source_files import files_in

from transcoder.errors import UpstreamError
from transcoder.settings import Settings

Media = Callable[[str], Path]
SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=1)


def without_padding(media: Media, numbers: Sequence[int]) -> dict[str, bytes]:
    """Return the files of an encrypted source, some of whose segments are filled up with zeros instead of padding."""
    folder, changed = media("faults-aes-ts"), {}
    for number in numbers:
        clear = (folder / f"clear-{number}.ts").read_bytes()
        encryptor = Cipher(algorithms.AES(KEY), modes.CBC(number.to_bytes(16))).encryptor()
        changed[f"/segment-{number}.ts"] = encryptor.update(clear + bytes(-len(clear) % 16)) + encryptor.finalize()
    return files_in(folder) | changed


@pytest.mark.parametrize(("numbers", "is_whole"), [((), True), (range(6), True), ((3,), False), ((0, 1, 2, 4, 5), False)])
def test_all_segments_are_padded_or_none(numbers: Sequence[int], media: Media, serve: Serve, *, is_whole: bool) -> None:
    answer, url = Answered(), serve(without_padding(media, numbers)).url("/main.m3u8")

    def download() -> None:
        ask(f"/download?layout=fragmented&url={url}", settings=SETTINGS, into=answer)
        if answer.status != 200:
            raise UpstreamError(answer.problem[2])

    if is_whole:
        download()
    else:
        with pytest.raises(UpstreamError, match="it does not end as the others do"):
            download()  # after the response has begun, or before
