"""Which cookies of origins are kept for the other requests of a job."""

import warnings
from http.client import HTTPResponse
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from urllib.request import Request

MAX_COOKIES = 100
"""More cookies in one job are ignored: all of them are looked at for each request."""


class _CookiePolicy(DefaultCookiePolicy):
    """Accepts what the standard library accepts, if it can be sent back."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = 0

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """Return whether a cookie is kept; one that is not ASCII would make every later request fail."""
        is_kept = self.kept < MAX_COOKIES and f"{cookie.name}{cookie.value}".isascii() and super().set_ok(cookie, request)
        self.kept += is_kept
        return is_kept


class _QuietCookieJar(CookieJar):
    """Ignores cookies that cannot be parsed, without a word: for some, such as one with an unknown month, its base warns of a bug."""

    def make_cookies(self, response: HTTPResponse, request: Request) -> list[Cookie]:
        """Return the cookies of a response."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return list(super().make_cookies(response, request))


def cookie_jar() -> CookieJar:
    """Return an empty cookie jar for one job."""
    return _QuietCookieJar(_CookiePolicy())
