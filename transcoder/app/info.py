"""The route `/info`: a report on what `/download` would send, made without fetching a segment."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.app.signed_links import SignedLinks
from transcoder.app.text_response import send_text, text_headers
from transcoder.core.answer.event import Request
from transcoder.core.answer.file_names import file_name
from transcoder.core.request.query import parse_query
from transcoder.core.request.subtitle_request import SHARED_PARAMETERS
from transcoder.core.source.info_report import SubtitleInfo, make_report
from transcoder.pipeline.subtitles import list_subtitles_if_possible


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
        resolved = await list_subtitles_if_possible(source, resolved, fetcher=fetcher)
    name = file_name(job.filename or source.name, resolved.extension(job))
    report = make_report(source, resolved, file_name=name, response_limit=dependencies.settings.response_limit)
    links = _Links(request.path.rstrip("/").removesuffix("/info"), query.values, dependencies.signed_links)
    subtitles = tuple([replace(each, download=await links.subtitles(each)) for each in report.subtitles])
    report = replace(report, download=await links.video(), subtitles=subtitles)
    body = json.dumps(report.document(), ensure_ascii=False, indent=1).encode() + b"\n"
    await send_text(request, answer, body, text_headers("application/json"))


class _Links(NamedTuple):
    """Makes the links of a report, which expire with the request for it."""

    base: str
    values: Mapping[str, str]
    """The parameters of the request for the report."""
    signed: SignedLinks

    async def video(self) -> str:
        return f"{self.base}/download?{await self.signed.link_query(self.values)}"

    async def subtitles(self, rendition: SubtitleInfo) -> str | None:
        if rendition.select is None:
            return None
        shared = {name: text for name, text in self.values.items() if name in {"url", "exp", *SHARED_PARAMETERS}}
        return f"{self.base}/subtitles?{await self.signed.link_query(shared | {'language': rendition.select})}"
