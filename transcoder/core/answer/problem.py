"""Reads a received problem document (RFC 9457)."""

import json


def problem_sentence(body: bytes) -> str:
    """Return the detail and the slug of a problem document as one sentence; for any other body, its beginning."""
    try:
        document = json.loads(body)
        return f"{document['detail']} [{str(document['type']).rpartition(':')[2]}]"
    except (ValueError, LookupError, TypeError, RecursionError):
        return body[:200].decode(errors="replace").strip() or "no details were given."
