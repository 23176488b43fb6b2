import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import split_at

from transcoder.core.media.aes128 import Decryptor
from transcoder.errors import UpstreamError

KEY, IV = bytes(range(16)), bytes(range(16, 32))


def encrypt(clear: bytes) -> bytes:
    padding, cipher = PKCS7(128).padder(), Cipher(AES(KEY), CBC(IV)).encryptor()
    return cipher.update(padding.update(clear) + padding.finalize()) + cipher.finalize()


@given(st.binary(max_size=200), st.lists(st.integers(0, 208)))
def test_decrypted_bytes_do_not_depend_on_the_pieces(clear: bytes, cuts: list[int]) -> None:
    encrypted = encrypt(clear)
    decryptor = Decryptor(KEY, IV)
    out = [decryptor.feed(piece) for piece in split_at(encrypted, (min(cut, len(encrypted)) for cut in cuts))]
    assert b"".join(out) + decryptor.end() == clear


@pytest.mark.parametrize(
    "encrypted",
    [b"", encrypt(b"a" * 40)[:-1], encrypt(b"a" * 40)[:-16], bytes(32)],
    ids=["empty", "one byte short", "one block short", "wrong key"],
)
def test_segment_that_does_not_decrypt_is_an_upstream_error(encrypted: bytes) -> None:
    decryptor = Decryptor(KEY, IV)
    decryptor.feed(encrypted)
    with pytest.raises(UpstreamError, match="does not decrypt"):
        decryptor.end()


def test_key_of_wrong_length_is_refused() -> None:
    with pytest.raises(UpstreamError, match="16 bytes"):
        Decryptor(b"<html>", IV)
