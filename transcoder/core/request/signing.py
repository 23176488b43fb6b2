"""Links that only the owner hands out: parameters, an expiry and a key → a signature, and back.

What is signed is text that any language makes in a line: `name=value` of each parameter but `sig`, decoded, in UTF-8, sorted by name
and joined by line feeds. The signature is its HMAC with SHA-256 (RFC 2104), in small hexadecimal digits.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from transcoder.errors import BadRequestError, BadSignatureError

MIN_KEY_BYTES = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EXPIRY = re.compile(r"[0-9]{1,12}")


def usable_keys(keys: Iterable[str | bytes]) -> tuple[bytes, ...]:
    """Return keys as bytes.

    Raises:
        BadRequestError: one is too short to be a secret.

    """
    found = tuple(key.encode() if isinstance(key, str) else key for key in keys)
    if any(len(key) < MIN_KEY_BYTES for key in found):
        raise BadRequestError(f"A key of signed links is shorter than {MIN_KEY_BYTES} characters.")
    return found


def signed(values: Mapping[str, str], *, key: bytes, expires: int) -> dict[str, str]:
    """Add `exp`, in seconds since 1970, and `sig` to the parameters of a link.

    Raises:
        BadRequestError: a parameter cannot be signed: it holds a control character.

    """
    limited = {name: text for name, text in values.items() if name != "sig"} | {"exp": str(expires)}
    if any(_CONTROL.search(name + text) for name, text in limited.items()):
        raise BadRequestError("A parameter holds a control character.")
    return limited | {"sig": _signature(limited, key)}


def check(values: Mapping[str, str], *, keys: Sequence[bytes], now: float) -> None:
    """Let pass what was signed with any of `keys` and has not expired at `now`, in seconds since 1970.

    Raises:
        BadSignatureError: it was not, or it has.

    """
    given, expires = values.get("sig", ""), values.get("exp", "")
    if not given or not expires:
        raise BadSignatureError("This service serves signed links only: exp and sig are missing.")
    if not _EXPIRY.fullmatch(expires) or any(_CONTROL.search(name + text) for name, text in values.items()):
        raise BadSignatureError("The signature of this link does not hold.")
    limited = {name: text for name, text in values.items() if name != "sig"}
    # All of them, whichever holds: how long it takes must not tell.
    matches = [hmac.compare_digest(_signature(limited, key).encode(), given.encode()) for key in keys]
    if not any(matches):
        raise BadSignatureError("The signature of this link does not hold.")
    if now >= int(expires):
        raise BadSignatureError("This link has expired: ask for a new one where you got it.")


def query_of(values: Mapping[str, str]) -> str:
    """Write parameters as a query string, every character escaped that is not unreserved (RFC 3986, 2.3)."""
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in values.items())


def _signature(values: Mapping[str, str], key: bytes) -> str:
    text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    return hmac.new(key, text.encode(errors="surrogatepass"), "sha256").hexdigest()
