"""The route `/subtitles`: one rendition of subtitles as one text."""

from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.app.text_response import send_text, text_headers
from transcoder.core.answer.event import Request
from transcoder.core.answer.file_names import content_disposition, subtitle_file_name
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.request.query import parse_query
from transcoder.errors import TooLargeError
from transcoder.pipeline.subtitles import fetch_subtitles, find_subtitles


async def subtitles(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the subtitles that the query describes, once all of them are there; for HEAD, fetch no segment.

    Raises:
        TranscoderError: the request fails, for a reason that the caller is told.

    """
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    wanted = query.subtitle_request()
    limit = dependencies.settings.response_limit
    async with dependencies.fetcher(wanted.job.url, answer=answer) as fetcher:
        found = await find_subtitles(wanted, resolver=dependencies.resolver, fetcher=fetcher)
        name = subtitle_file_name(wanted.job.filename, found.source.name, found.rendition.language, wanted.format.value)
        headers = (*text_headers(wanted.format.content_type), ("content-disposition", content_disposition(name)))
        if request.method == "HEAD":
            await answer.start(ResponseHead(HTTPStatus.OK, headers))
            return
        body = await fetch_subtitles(found, fetcher=fetcher, settings=dependencies.settings)
    if len(body) > limit:
        raise TooLargeError(f"The subtitles have {len(body)} bytes; one response can have at most {limit}.")
    await send_text(request, answer, body, headers)
