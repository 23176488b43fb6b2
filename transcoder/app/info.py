"""The route `/info`: a report on what `/download` would send, made without fetching a segment."""

import hashlib
import json
from dataclasses import replace
from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.function_url import Request, ResponseHead
from transcoder.core.request.query import parse_query
from transcoder.core.source.info_report import make_report

_MAX_AGE_SECONDS = 60


async def info(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the report on the source that the query names, as JSON.

    Raises:
        TranscoderError: the request fails, for a reason that the caller is told.

    """
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    job = query.job()
    async with dependencies.fetcher(job.url, answer=answer) as fetcher:
        source = await dependencies.find(job, fetcher=fetcher, answer=answer)
        resolved = await dependencies.resolver.resolve(source, job, fetcher=fetcher)
    name = file_name(job.filename or source.name, resolved.extension(job))
    report = make_report(source, resolved, file_name=name, response_limit=dependencies.settings.response_limit)
    link_query = await dependencies.signed_links.link_query(query.values)
    link = f"{request.path.rstrip('/').removesuffix('/info')}/download?{link_query}"
    body = json.dumps(replace(report, download=link).document(), ensure_ascii=False, indent=1).encode() + b"\n"
    await _send(request, answer, body)


async def _send(request: Request, answer: Answer, body: bytes) -> None:
    """Send `body`, or 304 if the client has the same version already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (
        ("content-type", "application/json"),
        ("cache-control", f"public, max-age={_MAX_AGE_SECONDS}"),
        ("etag", etag),
        ("x-content-type-options", "nosniff"),
    )
    if_none_match = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if if_none_match & {etag, "*"}:
        await answer.start(ResponseHead(HTTPStatus.NOT_MODIFIED, headers))
        return
    await answer.start(ResponseHead(HTTPStatus.OK, headers))
    if request.method != "HEAD":
        await answer.write(body)
