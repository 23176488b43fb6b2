"""What a Lambda Function URL and its function say to each other: event in, prelude and problem out.

Source: AWS Lambda developer guide, "Invoking Lambda function URLs" (payload format 2.0) and "Response streaming" (the prelude).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import cast

from transcoder.errors import BadRequestError, TranscoderError

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
"""The Content-Type that tells Lambda that a stream begins with a prelude."""
PRELUDE_END = b"\0" * 8
"""What stands between the prelude and the body."""
MAX_PRELUDE_BYTES = 16 * 1024
"""A longer prelude, its end mark included, is refused."""
RENAMED_HEADERS = frozenset({
    "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "keep-alive", "max-forwards",
    "proxy-authenticate", "proxy-authorization", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    "www-authenticate",
})  # fmt: skip
"""Response headers that a Function URL sends on as `x-amzn-remapped-…`."""
STRIPPED_HEADERS = frozenset({"content-encoding"})
"""Response headers that a Function URL acts on and takes away: it decodes the body itself."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")  # RFC 9110, 5.5, less obs-text, which proxies mangle


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as a Function URL passes it on."""

    method: str
    """In capitals."""
    path: str
    """Percent-encoded as it came, without the query."""
    query: str
    """What follows the question mark, undecoded; empty if there is none."""
    headers: Mapping[str, str]
    """By lower-case name; the values of a repeated header are joined by commas."""
    source_ip: str = ""
    """The peer's address; behind a CDN it is the CDN's."""
    request_id: str = ""
    domain_name: str = ""
    """The host under which the function was called, without a port."""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers of an answer; the body follows as it is made."""

    status: HTTPStatus
    headers: tuple[tuple[str, str], ...] = ()


def parse_event(event: bytes) -> Request:
    """Read the event that a Function URL makes of an HTTP request (payload format 2.0).

    Raises:
        BadRequestError: it is not such an event.
    """
    try:
        root = _object(json.loads(event), "the event")
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The event is not JSON.") from error
    if root.get("version") != "2.0":
        raise BadRequestError("The event is not a Function URL's: its version is not 2.0.")
    context = _object(root.get("requestContext"), "requestContext")
    http = _object(context.get("http"), "requestContext.http")
    headers = _object(root.get("headers") or {}, "headers")
    return Request(
        method=_text(http, "method").upper(),
        path=_text(root, "rawPath"),
        query=_text(root, "rawQueryString", default=""),
        headers=MappingProxyType({name.lower(): _text(headers, name) for name in headers}),
        source_ip=_text(http, "sourceIp", default=""),
        request_id=_text(context, "requestId", default=""),
        domain_name=_text(context, "domainName", default=""),
        user_agent=_text(http, "userAgent", default=""),
    )


def prelude(head: ResponseHead) -> bytes:
    """Write `head` as a streamed response begins with it: one JSON text and its end mark.

    Raises:
        ValueError: it cannot be sent as it stands: a header that a Function URL renames or takes away, a cookie, a name or value that is
            not HTTP's (RFC 9110, 5.1 and 5.5), or more than `MAX_PRELUDE_BYTES`.
    """
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key = name.lower()
        if key in RENAMED_HEADERS or key in STRIPPED_HEADERS or key == "set-cookie":
            raise ValueError(f"A Function URL does not pass on the header {name!r}.")
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"Not an HTTP header: {name!r}: {value!r}.")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    text = json.dumps({"statusCode": int(head.status), "headers": headers}, separators=(",", ":"))
    encoded = text.encode() + PRELUDE_END
    if len(encoded) > MAX_PRELUDE_BYTES:
        raise ValueError(f"A prelude of {len(encoded)} bytes is longer than {MAX_PRELUDE_BYTES}.")
    return encoded


def problem(error: TranscoderError) -> tuple[ResponseHead, bytes]:
    """Turn a failure into the answer that tells the caller of it: a problem document (RFC 9457), never cached."""
    document = {
        "type": f"urn:problem-type:transcoder:{error.slug}",
        "title": error.slug.replace("-", " ").capitalize(),
        "status": int(error.status),
        "detail": str(error),
    }
    headers = (("content-type", "application/problem+json"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
    return ResponseHead(error.status, headers), json.dumps(document).encode() + b"\n"


def _object(value: object, name: str) -> Mapping[str, object]:
    """Take `value` for a JSON object."""
    if not isinstance(value, dict):
        raise BadRequestError(f"The event is not a Function URL's: {name} is not an object.")
    return cast("dict[str, object]", value)  # json.loads makes no other keys


def _text(values: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    """Take a member for a string; null and absence mean `default`."""
    value = values.get(name)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise BadRequestError(f"The event is not a Function URL's: {name} is not a string.")
    return value
