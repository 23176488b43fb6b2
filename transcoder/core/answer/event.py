"""The request in an event: of a Function URL (payload format 2.0), or of a REST API of API Gateway (the format of a proxy integration).

Sources: AWS Lambda developer guide, "Invoking Lambda function URLs"; API Gateway developer guide, "Input format of a Lambda function for
proxy integration", and "Important notes", on what a REST API decodes.
"""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast
from urllib.parse import quote

from transcoder.errors import BadRequestError


class Request(NamedTuple):
    """An HTTP request as a Function URL or a REST API passes it to the function."""

    method: str
    """In upper case."""
    path: str
    """Percent-encoded as received, without the query; behind a REST API without a domain name of its own, it begins with the stage."""
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
    adds_cors: bool = False
    """Whether the function itself has to add the headers of CORS: a Function URL does that, a REST API does not."""


def parse_event(event: bytes) -> Request:
    """Return the HTTP request in an event.

    Raises:
        BadRequestError: the event is neither of a Function URL nor of a REST API.
    """
    try:
        root = _require_object(json.loads(event), "the event")
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The event is not JSON.") from error
    context = _require_object(root.get("requestContext"), "requestContext")
    if root.get("version") == "2.0":
        return _function_url_request(root, context)
    if "httpMethod" in root and root.get("version") in {None, "1.0"}:
        return _rest_api_request(root, context)
    raise BadRequestError("The event is not one of an HTTP request: it has neither the version 2.0 nor an httpMethod.")


def _function_url_request(root: Mapping[str, object], context: Mapping[str, object]) -> Request:
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


def _rest_api_request(root: Mapping[str, object], context: Mapping[str, object]) -> Request:
    """Return the request in an event that has the query decoded only, and two paths: as the client sent it, and without the stage."""
    identity = _require_object(context.get("identity") or {}, "requestContext.identity")
    return Request(
        method=_string(root, "httpMethod").upper(),
        path=_string(context, "path", default=_string(root, "path")),
        query="&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in _pairs(root, "queryStringParameters")),
        headers=MappingProxyType(_joined((name.lower(), value) for name, value in _pairs(root, "headers"))),
        source_ip=_string(identity, "sourceIp", default=""),
        request_id=_string(context, "requestId", default=""),
        domain_name=_string(context, "domainName", default=""),
        user_agent=_string(identity, "userAgent", default=""),
        adds_cors=True,
    )


def _pairs(root: Mapping[str, object], name: str) -> list[tuple[str, str]]:
    """Return the pairs of a member that a REST API sends twice: with all values of a name, and with the last one only."""
    multiple = f"multiValue{name[0].upper()}{name[1:]}"
    every = _require_object(root.get(multiple) or {}, multiple)
    single = _require_object(root.get(name) or {}, name)
    pairs = [(key, value) for key, values in every.items() for value in _strings(values, f"{multiple}.{key}")]
    return pairs or [(key, _string(single, key)) for key in single]


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")  # JSON can hold half of a pair, which the query then refuses


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _require_object(value: object, name: str) -> Mapping[str, object]:
    """Return `value` if it is a JSON object."""
    if not isinstance(value, dict):
        raise BadRequestError(f"The event is not one of an HTTP request: {name} is not an object.")
    return cast("dict[str, object]", value)  # keys from json.loads are always strings


def _strings(value: object, name: str) -> list[str]:
    """Return `value` if it is a list of strings."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequestError(f"The event is not one of an HTTP request: {name} is not a list of strings.")
    return cast("list[str]", value)


def _string(values: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    """Return a member that must be a string, or `default` if it is null or missing."""
    value = values.get(name)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise BadRequestError(f"The event is not one of an HTTP request: {name} is not a string.")
    return value
