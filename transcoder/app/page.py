"""The web page, the pages of failed navigations, and `/link`, which gives the page its signed links."""

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.app.text_response import send_text
from transcoder.core.answer.accept import names_type
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.page_paths import is_of_page
from transcoder.core.request.query import parse_query, url_in
from transcoder.errors import BadSignatureError, TranscoderError

if TYPE_CHECKING:
    from transcoder.core.answer.page import Page, PageFile

LINK_SECONDS = 900
"""How long a link of `/link` is valid. The page asks for another one when it has expired."""


@cache
def _page(*, signed: bool, redirects: bool) -> "Page":
    # Most environments never send the page.
    from transcoder.core.answer.page import make_page  # noqa: PLC0415
    from transcoder.edge.page_files import read_page_files  # noqa: PLC0415

    return make_page(read_page_files(), signed=signed, redirects=redirects)


def _page_of(dependencies: Dependencies) -> "Page":
    settings = dependencies.settings
    redirects = bool(settings.bucket) and settings.files_url != "/"
    return _page(signed=dependencies.signed_links.are_required, redirects=redirects)


def has_page(dependencies: Dependencies) -> bool:
    """Return whether this service has the web page. It is of no use where it cannot get the links that must be signed."""
    settings = dependencies.settings
    return settings.page and (settings.page_links or not dependencies.signed_links.are_required)


def page_file(request: Request, dependencies: Dependencies) -> "PageFile | None":
    """Return the file of the page that a request asks for; None if it asks for something else, or there is no page."""
    is_read = request.method in {"GET", "HEAD"}
    if not is_read or not has_page(dependencies) or not is_of_page(request.path, request.query):
        return None
    return _page_of(dependencies).files.get(request.path or "/")


async def send_page_file(file: "PageFile", request: Request, answer: Answer) -> None:
    """Send a file of the page, or 304 if the client has it."""
    await send_text(request, answer, file.body, file.headers)


async def send_error_page(error: TranscoderError, request: Request, answer: Answer, dependencies: Dependencies) -> bool:
    """Send the page of an error if the request is a navigation of a browser; return whether it is one."""
    if not has_page(dependencies) or not names_type(request.headers.get("accept", ""), "text/html"):
        return False
    file = _page_of(dependencies).error_page(
        error, accept_language=request.headers.get("accept-language", ""), url=url_in(request.query), request_id=request.request_id
    )
    await answer.start(ResponseHead(error.status, (*file.headers, *error.headers)))
    await answer.write(file.body)
    return True


async def link(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the query of a link with the parameters of the request, signed for a short time, to a script of this host.

    Raises:
        BadSignatureError: the request does not come from a page of this host.
        TranscoderError: the parameters are invalid.
    """
    if request.headers.get("sec-fetch-site") != "same-origin":
        raise BadSignatureError("Only the page of this service gets links here.")
    query = parse_query(request.query)
    query.job()
    body = {"query": await dependencies.signed_links.fresh_query(query.values, seconds=LINK_SECONDS), "seconds": LINK_SECONDS}
    headers = (("content-type", "application/json"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
    await answer.start(ResponseHead(HTTPStatus.OK, (*headers, ("vary", "sec-fetch-site"))))
    await answer.write(json.dumps(body).encode())
