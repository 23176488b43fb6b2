"""The report that a source has been found: what is known before any of its media is fetched."""

from collections.abc import Mapping

from transcoder.core.source.source import ResolvedSource, Source

Document = Mapping[str, str | float | int | None]
"""The members of a report or of an event."""


def resolved_report(source: Source, resolved: ResolvedSource, *, file_name: str) -> Document:
    """Return the members of the report; what is not known is None."""
    estimated_bytes = resolved.file.length if resolved.file else resolved.plan.estimated_bytes
    return {
        "event": "resolved",
        "title": source.title,
        "file_name": file_name,
        "seconds": None if resolved.file else round(resolved.plan.output_seconds, 3),
        "estimated_bytes": estimated_bytes,
        "thumbnail": source.thumbnail.url if source.thumbnail else None,
    }
