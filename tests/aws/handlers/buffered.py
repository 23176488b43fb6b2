"""A handler for AWS's Python client, which does not stream; the path of the request selects what it does."""

import os
from collections.abc import Mapping
from typing import Any

if "FAIL_TO_START" in os.environ:
    raise RuntimeError("no luck today")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    if event["rawPath"] == "/fail":
        raise LookupError("no such video")
    return {
        "path": event["rawPath"],
        "request": context.aws_request_id,
        "function": context.function_name,
        "left": context.get_remaining_time_in_millis(),
    }
