import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import split_at

from transcoder.core.media.aes128 import Decryptor, decrypt_resource
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


@pytest.mark.parametrize("encrypted", [b"", encrypt(b"a" * 40)[:-1], encrypt(b"a" * 40)[:15]], ids=["empty", "one byte short", "no block"])
def test_segment_that_does_not_decrypt_is_an_upstream_error(encrypted: bytes) -> None:
    decryptor = Decryptor(KEY, IV)
    decryptor.feed(encrypted)
    with pytest.raises(UpstreamError, match="does not decrypt"):
        decryptor.end()


def decrypt(encrypted: bytes) -> tuple[bytes, bool]:
    decryptor = Decryptor(KEY, IV)
    return decryptor.feed(encrypted) + decryptor.end(), decryptor.is_padded


@given(st.binary(max_size=200))
def test_padding_is_taken_off(clear: bytes) -> None:
    assert decrypt(encrypt(clear)) == (clear, True)


@pytest.mark.parametrize("end", [b"\0", b"\x11", b"\x11" * 17, b"\xff", b"\1\2", b"\3\3\2\3"])
def test_a_segment_without_padding_is_taken_as_it_is(end: bytes) -> None:
    clear = (b"a" * 64 + end)[-64:]
    assert decrypt(encrypt(clear)[:-16]) == (clear, False)


@pytest.mark.parametrize("end", [b"\1", b"\2\2", b"\x10" * 16, b"\0"])
def test_the_end_of_whole_transport_packets_is_no_padding(end: bytes) -> None:
    packets = 4 * (b"G" + bytes(187))
    clear = packets[: -len(end)] + end
    assert len(clear) % 16 == 0
    assert decrypt(encrypt(clear)[:-16]) == (clear, False)
    assert decrypt(encrypt(clear)) == (clear, True)
    assert decrypt(encrypt(clear[:188])) == (clear[:188], True)


def test_a_resource_that_is_no_segment_must_have_padding() -> None:
    assert decrypt_resource(Decryptor(KEY, IV), encrypt(b"a" * 40)) == b"a" * 40
    with pytest.raises(UpstreamError, match="does not decrypt"):
        decrypt_resource(Decryptor(KEY, IV), encrypt(b"a" * 40)[:-16])


def test_key_of_wrong_length_is_refused() -> None:
    with pytest.raises(UpstreamError, match="16 bytes"):
        Decryptor(b"<html>", IV)
