"""EXT-X-KEY tags → the one key that opens a segment, or a refusal that says what protects it."""

import re

from transcoder.core.hls.plan import Key
from transcoder.core.hls.playlist import KeyTag
from transcoder.errors import UnsupportedSourceError

_IV_BYTES = 16
_IV = re.compile(r"0[xX]([0-9A-Fa-f]+)")
_SYSTEMS = {
    "com.apple.streamingkeydelivery": "FairPlay",
    "com.microsoft.playready": "PlayReady",
    "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
    "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine",
    "com.widevine": "Widevine",
    "com.widevine.alpha": "Widevine",
}


def usable_key(tags: tuple[KeyTag, ...], sequence: int) -> Key | None:
    """Pick the key that can be used among those in force, with its IV: the tag's, or the media sequence number (RFC 8216, 5.2).

    None if there are no tags: nothing is encrypted.

    Raises:
        UnsupportedSourceError: it is protected in a way that is not opened here, or a tag is broken.
    """
    if not tags:
        return None
    for tag in tags:
        if tag.method == "AES-128" and tag.format == "identity" and not _is_fairplay(tag):
            if tag.url is None:
                raise UnsupportedSourceError("The playlist is broken: it encrypts with AES-128 and names no key.")
            return Key(tag.url, _iv(tag.iv, sequence))
    raise UnsupportedSourceError(_refusal(tags))


def _is_fairplay(tag: KeyTag) -> bool:
    """Tell FairPlay by its address, which is also found without its KEYFORMAT."""
    return (tag.url or "").lower().startswith("skd:")


def _refusal(tags: tuple[KeyTag, ...]) -> str:
    """Say what protects the source."""
    systems = sorted({"FairPlay" if _is_fairplay(tag) else _SYSTEMS.get(tag.format, tag.format[:60]) for tag in tags} - {"identity"})
    if systems:
        return f"The source is protected ({', '.join(systems)}) and cannot be opened."
    method = tags[-1].method
    if not method:
        return "The playlist is broken: it says that segments are encrypted, and not how."
    return f"The source is protected: it is encrypted with {method[:60]}, which is not supported."


def _iv(text: str | None, sequence: int) -> bytes:
    """Read the 16 bytes of an IV; a short one is filled with zeros at its end, as the packagers that write such do."""
    if text is None:
        return sequence.to_bytes(_IV_BYTES, "big")
    match = _IV.fullmatch(text)
    if match is None or len(match[1]) > 2 * _IV_BYTES:
        raise UnsupportedSourceError(f"The playlist is broken: {text[:60]!r} is not an initialization vector of 16 bytes.")
    return bytes.fromhex(match[1].ljust(2 * _IV_BYTES, "0"))
