"""Cookies from a file in Netscape's format, which browsers' extensions and curl write."""

from http.cookiejar import Cookie, LoadError, MozillaCookieJar

from transcoder.errors import BadRequestError


def read_cookies(path: str) -> tuple[Cookie, ...]:
    """Return the cookies in a file; each goes to its own host only.

    Raises:
        BadRequestError: the file cannot be read, or is none of that format.

    """
    jar = MozillaCookieJar(path)
    try:
        jar.load(ignore_discard=True, ignore_expires=True)
    except LoadError as error:
        raise BadRequestError(f"--cookies {path}: it is not in Netscape's format ('# Netscape HTTP Cookie File').") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text in UTF-8"
        raise BadRequestError(f"--cookies {path}: {reason}.") from error
    cookies = tuple(jar)
    for cookie in cookies:
        if cookie.expires == 0:  # how the file says that it is valid until the browser is closed
            cookie.expires = None
    if unsendable := next((cookie for cookie in cookies if not f"{cookie.name}{cookie.value}".isascii()), None):
        raise BadRequestError(f"--cookies {path}: the cookie {unsendable.name!r} is not ASCII.")
    return cookies
