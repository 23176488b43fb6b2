"""Tests which key is selected for a segment."""

import pytest
from peers.playlists import media_playlist

from transcoder.core.hls.decryption_keys import select_key
from transcoder.core.hls.plan import Key
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import KeyTag
from transcoder.errors import UnsupportedSourceError


def test_the_usable_key_is_selected_among_several_at_one_place() -> None:
    drm = '#EXT-X-KEY:METHOD=AES-128,URI="w",KEYFORMAT="com.widevine"'
    own = '#EXT-X-KEY:METHOD=AES-128,URI="k{}"'
    plan = make_plan(media_playlist(drm, own.format(1), 4, own.format(2), 4))
    keys = [segment.key for segment in plan.periods[0].tracks[0].segments]
    assert [key.url if key else None for key in keys] == ["https://media.example/k1", "https://media.example/k2"]


def tag(method: str = "AES-128", url: str | None = "https://a.example/k", iv: str | None = None, key_format: str = "identity") -> KeyTag:
    return KeyTag(method, url, iv, key_format)


@pytest.mark.parametrize(
    ("key_format", "system"),
    [
        ("com.apple.streamingkeydelivery", "FairPlay"),
        ("com.microsoft.playready", "PlayReady"),
        ("urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95", "PlayReady"),
        ("urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", "Widevine"),
        ("com.widevine", "Widevine"),
        ("com.widevine.alpha", "Widevine"),
        ("another", "another"),
        ("x" * 61, "x" * 60),
    ],
)
def test_a_protection_is_named_as_people_know_it(key_format: str, system: str) -> None:
    """The identifiers are those of the systems' registry at DASH-IF, and what their makers prescribe for KEYFORMAT."""
    with pytest.raises(UnsupportedSourceError, match=rf"^The source is protected \({system}\), which is not supported\.$"):
        select_key((tag("SAMPLE-AES", key_format=key_format),), 0)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ((tag("SAMPLE-AES"),), r"^The source is protected: it is encrypted with SAMPLE-AES, which is not supported\.$"),
        ((tag("SAMPLE-AES", "SKD://a"), tag("SAMPLE-AES", key_format="com.widevine")), r"protected \(FairPlay, Widevine\)"),
        ((tag("AES-128", "skd://a"),), r"protected \(FairPlay\)"),
        ((tag(""),), "an EXT-X-KEY tag has no METHOD"),
        ((tag("SAMPLE-AES"), tag("AES-256")), "encrypted with AES-256"),
        ((tag("x" * 61),), f"encrypted with {'x' * 60}, which"),
        ((tag(url=None),), "encrypts with AES-128 but names no key"),
    ],
)
def test_what_cannot_be_decrypted_is_refused_with_its_reason(tags: tuple[KeyTag, ...], message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        select_key(tags, 0)


@pytest.mark.parametrize(
    ("attribute", "vector"),
    [
        (None, bytes(12) + b"\1\2\3\4"),
        ("0x000102030405060708090A0B0C0D0E0F", bytes(range(16))),
        ("0Xff", b"\xff" + bytes(15)),
        ("0xabc", b"\xab\xc0" + bytes(14)),
        ("0x" + "f" * 32, b"\xff" * 16),
    ],
)
def test_an_initialization_vector_has_16_bytes(attribute: str | None, vector: bytes) -> None:
    other = tag("SAMPLE-AES", key_format="com.widevine")
    assert select_key((other, tag(iv=attribute)), 0x01020304) == Key("https://a.example/k", vector)
    assert select_key((), 5) is None


@pytest.mark.parametrize("attribute", ["", "0x", "ff", "0xfg", "0x" + "f" * 33, "x" * 61, "1x00"])
def test_what_is_no_initialization_vector_is_refused(attribute: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=f"'{attribute[:60]}' is not an initialization vector of 16 bytes"):
        select_key((tag(iv=attribute),), 0)
