"""A problem document (RFC 9457) as its receiver reads it."""

import json


def problem_sentence(body: bytes) -> str:
    """Return what a problem document says and its kind; of any other body the beginning."""
    try:
        document = json.loads(body)
        return f"{document['detail']} [{str(document['type']).rpartition(':')[2]}]"
    except (ValueError, LookupError, TypeError, RecursionError):
        return body[:200].decode(errors="replace").strip() or "nothing else is said."
