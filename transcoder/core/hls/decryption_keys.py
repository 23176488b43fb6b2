"""Selects the decryption key of a segment from its EXT-X-KEY tags, or refuses a source that is protected by DRM."""

import re

from transcoder.core.hls.plan import Key
from transcoder.core.hls.playlist import KeyTag
from transcoder.errors import UnsupportedSourceError

_IV_BYTES = 16
_IV = r"0[xX]([0-9A-Fa-f]+)"
_DRM_SYSTEMS = {
    "com.apple.streamingkeydelivery": "FairPlay",
    "com.microsoft.playready": "PlayReady",
    "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
    "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine",
    "com.widevine": "Widevine",
    "com.widevine.alpha": "Widevine",
}


def select_key(tags: tuple[KeyTag, ...], sequence: int) -> Key | None:
    """Return the usable key among those in force, or None if there are no tags: nothing is encrypted.

    Its IV is the tag's, or else the media sequence number (RFC 8216, 5.2).

    Raises:
        UnsupportedSourceError: the protection is not supported, or a tag is broken.
    """
    if not tags:
        return None
    for tag in tags:
        if tag.method == "AES-128" and tag.format == "identity" and not _is_fairplay(tag):
            if tag.url is None:
                raise UnsupportedSourceError("The playlist is broken: it encrypts with AES-128 but names no key.")
            return Key(tag.url, _initialization_vector(tag.iv, sequence))
    raise UnsupportedSourceError(_protection_message(tags))


def _is_fairplay(tag: KeyTag) -> bool:
    """Recognize FairPlay by its address: some playlists omit its KEYFORMAT."""
    return (tag.url or "").lower().startswith("skd:")


def _protection_message(tags: tuple[KeyTag, ...]) -> str:
    systems = sorted({"FairPlay" if _is_fairplay(tag) else _DRM_SYSTEMS.get(tag.format, tag.format[:60]) for tag in tags} - {"identity"})
    if systems:
        return f"The source is protected ({', '.join(systems)}), which is not supported."
    method = tags[-1].method
    if not method:
        return "The playlist is broken: an EXT-X-KEY tag has no METHOD."
    return f"The source is protected: it is encrypted with {method[:60]}, which is not supported."


def _initialization_vector(attribute: str | None, sequence: int) -> bytes:
    """Return the 16 bytes of an IV; without the attribute, the media sequence number.

    A short value is padded with zeros at its end, as the packagers that write such values do.
    """
    if attribute is None:
        return sequence.to_bytes(_IV_BYTES, "big")
    match = re.fullmatch(_IV, attribute)
    if match is None or len(match[1]) > 2 * _IV_BYTES:
        raise UnsupportedSourceError(f"The playlist is broken: {attribute[:60]!r} is not an initialization vector of 16 bytes.")
    return bytes.fromhex(match[1].ljust(2 * _IV_BYTES, "0"))
