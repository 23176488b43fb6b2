"""Cookies from a file in Netscape's format, which browsers' extensions and curl write."""

import re
from http.cookiejar import Cookie, CookieJar

from transcoder.errors import BadRequestError
from transcoder.local.text_file import read_text

_FIRST_LINE = re.compile("#( Netscape)? HTTP Cookie File")
_HTTP_ONLY = "#HttpOnly_"
_FIELDS = 7


def read_cookies(path: str) -> tuple[Cookie, ...]:
    """Return the cookies in a file; each goes to its own host only.

    Raises:
        BadRequestError: the file cannot be read, or is none of that format.

    """
    lines = read_text(path, f"--cookies {path}").split("\n")
    if not _FIRST_LINE.match(lines[0]):
        raise BadRequestError(f"--cookies {path}: it is not in Netscape's format ('# Netscape HTTP Cookie File').")
    jar = CookieJar()
    for number, line in enumerate(lines, 1):
        text = line.removesuffix("\r").removeprefix(_HTTP_ONLY)
        if not text.strip() or text.lstrip().startswith(("#", "$")):
            continue
        cookie = _cookie(text)
        if cookie is None:
            raise BadRequestError(f"--cookies {path}: line {number} has not the seven fields of a cookie, separated by tabs.")
        jar.set_cookie(cookie)
    cookies = tuple(jar)
    if unsendable := next((cookie for cookie in cookies if not f"{cookie.name}{cookie.value}".isascii()), None):
        raise BadRequestError(f"--cookies {path}: the cookie {unsendable.name!r} is not ASCII.")
    return cookies


def _cookie(line: str) -> Cookie | None:
    """Return the cookie in a line; None if it is none."""
    fields = line.split("\t")
    if len(fields) != _FIELDS or not re.fullmatch(r"-?[0-9]{0,15}", fields[4], re.ASCII):
        return None
    domain, for_subdomains, path, secure, expires, name, value = fields
    is_wide = for_subdomains == "TRUE" and domain.startswith(".")
    return Cookie(
        version=0,
        name=name or value,  # a line without a name is a cookie without a value
        value=value if name else None,
        port=None,
        port_specified=False,
        domain=domain if is_wide else domain.lstrip("."),
        domain_specified=is_wide,
        domain_initial_dot=is_wide,
        path=path,
        path_specified=False,
        secure=secure == "TRUE",
        expires=int(expires or 0) or None,  # 0 is valid until the browser is closed
        discard=False,
        comment=None,
        comment_url=None,
        rest={},
    )
