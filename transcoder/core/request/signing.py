"""Signed links: computes and checks the signature over a link's parameters and its expiry.

The signed text is easy to build in any language: `name=value` of each parameter but `sig`, decoded, in UTF-8, sorted by name and joined
by line feeds. The signature is its HMAC-SHA-256 (RFC 2104) in lower-case hexadecimal digits.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from transcoder.errors import BadRequestError, BadSignatureError

MIN_KEY_BYTES = 16
_CONTROL = r"[\x00-\x1f\x7f]"
_EXPIRY = r"[0-9]{1,12}"


def encode_keys(keys: Iterable[str | bytes]) -> tuple[bytes, ...]:
    """Return keys as bytes.

    Raises:
        BadRequestError: a key is too short to be secure.

    """
    encoded = tuple(key.encode() if isinstance(key, str) else key for key in keys)
    if any(len(key) < MIN_KEY_BYTES for key in encoded):
        raise BadRequestError(f"A signing key is shorter than {MIN_KEY_BYTES} characters.")
    return encoded


def sign(values: Mapping[str, str], *, key: bytes, expires: int) -> dict[str, str]:
    """Return a link's parameters with `exp`, in seconds since 1970, and `sig` added.

    Raises:
        BadRequestError: a parameter contains a control character, so it cannot be signed.

    """
    unsigned = {name: text for name, text in values.items() if name != "sig"} | {"exp": str(expires)}
    if any(re.search(_CONTROL, name + text) for name, text in unsigned.items()):
        raise BadRequestError("A parameter contains a control character.")
    return unsigned | {"sig": _signature(unsigned, key)}


def check_signature(values: Mapping[str, str], *, keys: Sequence[bytes], now: float) -> None:
    """Accept parameters that are signed with any of `keys` and not expired at `now`, in seconds since 1970.

    Raises:
        BadSignatureError: the signature is missing or wrong, or the link has expired.

    """
    signature, expires = values.get("sig", ""), values.get("exp", "")
    if not signature or not expires:
        raise BadSignatureError("This service serves only signed links: exp and sig are missing.")
    if not re.fullmatch(_EXPIRY, expires) or any(re.search(_CONTROL, name + text) for name, text in values.items()):
        raise BadSignatureError("The signature of this link is not valid.")
    unsigned = {name: text for name, text in values.items() if name != "sig"}
    # Compare with every key, whichever matches: the time taken must not reveal which one it is.
    matches = [hmac.compare_digest(_signature(unsigned, key).encode(), signature.encode()) for key in keys]
    if not any(matches):
        raise BadSignatureError("The signature of this link is not valid.")
    if now >= int(expires):
        raise BadSignatureError("This link has expired: request a new one where you got it.")


def encode_query(values: Mapping[str, str]) -> str:
    """Return parameters as a query string, with every character escaped that is not unreserved (RFC 3986, 2.3)."""
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in values.items())


def _signature(values: Mapping[str, str], key: bytes) -> str:
    text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    return hmac.new(key, text.encode(errors="surrogatepass"), "sha256").hexdigest()
