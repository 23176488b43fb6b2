"""The formats between a Lambda Function URL and its function: the request event, the response prelude and problem documents.

Source: AWS Lambda developer guide, "Invoking Lambda function URLs" (payload format 2.0) and "Response streaming" (the prelude).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple, cast

from transcoder.core.answer.problem import PROBLEM_TYPE, problem_document
from transcoder.errors import BadRequestError, TranscoderError

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
"""The Content-Type of a response stream that begins with a prelude."""
PRELUDE_END = b"\0" * 8
"""The separator between the prelude and the body."""
MAX_PRELUDE_BYTES = 16 * 1024
"""A longer prelude, including its separator, is refused."""
RENAMED_HEADERS = frozenset({
    "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "keep-alive", "max-forwards",
    "proxy-authenticate", "proxy-authorization", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    "www-authenticate",
})  # fmt: skip
"""Response headers that a Function URL renames to `x-amzn-remapped-…`."""
STRIPPED_HEADERS = frozenset({"content-encoding"})
"""Response headers that a Function URL acts on and removes: it decodes the body itself."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")  # RFC 9110, 5.5, less obs-text, which proxies mangle


class Request(NamedTuple):
    """An HTTP request as a Function URL passes it to the function."""

    method: str
    """In upper case."""
    path: str
    """Percent-encoded as received, without the query."""
    query: str
    """The text after the question mark, not decoded; empty if there is none."""
    headers: Mapping[str, str]
    """By lower-case name; the values of a repeated header are joined by commas."""
    source_ip: str = ""
    """The client's address; behind a CDN, the CDN's address."""
    request_id: str = ""
    domain_name: str = ""
    """The host name that the function was called by, without a port."""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The status and headers of a response, sent before the body."""

    status: HTTPStatus
    headers: tuple[tuple[str, str], ...] = ()


def parse_event(event: bytes) -> Request:
    """Return the HTTP request in a Function URL event (payload format 2.0).

    Raises:
        BadRequestError: the event is not a Function URL event.
    """
    try:
        root = _require_object(json.loads(event), "the event")
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The event is not JSON.") from error
    if root.get("version") != "2.0":
        raise BadRequestError("The event is not a Function URL event: its version is not 2.0.")
    context = _require_object(root.get("requestContext"), "requestContext")
    http = _require_object(context.get("http"), "requestContext.http")
    headers = _require_object(root.get("headers") or {}, "headers")
    return Request(
        method=_string(http, "method").upper(),
        path=_string(root, "rawPath"),
        query=_string(root, "rawQueryString", default=""),
        headers=MappingProxyType({name.lower(): _string(headers, name) for name in headers}),
        source_ip=_string(http, "sourceIp", default=""),
        request_id=_string(context, "requestId", default=""),
        domain_name=_string(context, "domainName", default=""),
        user_agent=_string(http, "userAgent", default=""),
    )


def encode_prelude(head: ResponseHead) -> bytes:
    """Return `head` as the prelude of a streamed response: one JSON text and the separator.

    Raises:
        ValueError: a Function URL would not send it unchanged: it has a header that Function URLs rename or remove, a cookie, a name or
            value that is not valid in HTTP (RFC 9110, 5.1 and 5.5), or more than `MAX_PRELUDE_BYTES`.
    """
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key = name.lower()
        if key in RENAMED_HEADERS or key in STRIPPED_HEADERS or key == "set-cookie":
            raise ValueError(f"A Function URL does not send the header {name!r} unchanged.")
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"Not a valid HTTP header: {name!r}: {value!r}.")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    text = json.dumps({"statusCode": int(head.status), "headers": headers}, separators=(",", ":"))
    encoded = text.encode() + PRELUDE_END
    if len(encoded) > MAX_PRELUDE_BYTES:
        raise ValueError(f"The prelude has {len(encoded)} bytes, which is longer than the limit of {MAX_PRELUDE_BYTES}.")
    return encoded


def problem_response(error: TranscoderError) -> tuple[ResponseHead, bytes]:
    """Return the head and the body of the response to a failed request: a problem document (RFC 9457), never cached."""
    headers = (("content-type", PROBLEM_TYPE), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"), *error.headers)
    return ResponseHead(error.status, headers), json.dumps(problem_document(error)).encode() + b"\n"


def _require_object(value: object, name: str) -> Mapping[str, object]:
    """Return `value` if it is a JSON object."""
    if not isinstance(value, dict):
        raise BadRequestError(f"The event is not a Function URL event: {name} is not an object.")
    return cast("dict[str, object]", value)  # keys from json.loads are always strings


def _string(values: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    """Return a member that must be a string, or `default` if it is null or missing."""
    value = values.get(name)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise BadRequestError(f"The event is not a Function URL event: {name} is not a string.")
    return value
