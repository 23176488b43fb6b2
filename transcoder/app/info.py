"""`/info`: what `/download` would send, told without fetching a segment."""

import hashlib
import json
from dataclasses import replace
from http import HTTPStatus

from transcoder.app.service import Answer, Service
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.function_url import Request, ResponseHead
from transcoder.core.request.query import parse_query
from transcoder.core.source.info_report import make_report

_KEPT_SECONDS = 60


async def information(request: Request, answer: Answer, service: Service) -> None:
    """Send a report on what the query names, as JSON.

    Raises:
        TranscoderError: whatever there is to tell the caller.

    """
    query = parse_query(request.query)
    await service.links.check(query.values)
    job = query.job()
    async with service.fetcher(job.url, noted_in=answer) as fetcher:
        source = await service.resolver.find(job, fetcher=fetcher)
        resolved = await service.resolver.resolve(source, job, fetcher=fetcher)
    name = file_name(job.filename or source.name, resolved.extension(job))
    report = make_report(source, resolved, file_name=name, response_limit=service.settings.response_limit)
    link = f"{request.path.rstrip('/').removesuffix('/info')}/download?{await service.links.query(query.values)}"
    body = json.dumps(replace(report, download=link).document(), ensure_ascii=False, indent=1).encode() + b"\n"
    await _send(request, answer, body)


async def _send(request: Request, answer: Answer, body: bytes) -> None:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (
        ("content-type", "application/json"),
        ("cache-control", f"public, max-age={_KEPT_SECONDS}"),
        ("etag", etag),
        ("x-content-type-options", "nosniff"),
    )
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        await answer.start(ResponseHead(HTTPStatus.NOT_MODIFIED, headers))
        return
    await answer.start(ResponseHead(HTTPStatus.OK, headers))
    if request.method != "HEAD":
        await answer.write(body)
