"""How an output is delivered: in the response, or through the bucket of the service."""

import asyncio

from transcoder.app.answer import Answer
from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES
from transcoder.core.answer.lambda_cost import lambda_seconds
from transcoder.core.answer.usable_time import usable_seconds
from transcoder.core.hls.plan import Plan
from transcoder.core.output.making_time import making_seconds
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import Deliver, FileFormat, Layout
from transcoder.errors import BadRequestError, TooLargeError
from transcoder.settings import Settings

OVER_EVENTS = (
    "GET /events with the same parameters and deliver=s3 makes it in the storage of this service, reports the progress, "
    "and then names its link."
)


def delivery_of(job: Job, settings: Settings) -> Deliver:
    """Return how the output of a job is delivered; AUTO if that is left to the source.

    Raises:
        BadRequestError: it cannot be delivered in the way that is asked for.
    """
    if settings.bucket:
        is_plain = job.format in {FileFormat.MP4, FileFormat.M4A} and job.layout is not Layout.FRAGMENTED
        return job.deliver if is_plain else Deliver.STREAM
    if job.deliver is Deliver.S3:
        raise BadRequestError("deliver: this service has no storage for finished files, so s3 is not possible; stream is.")
    return Deliver.STREAM


def refuse_stored_file(deliver: Deliver) -> None:
    """Refuse to store a file that is sent as it is.

    Raises:
        BadRequestError: that is asked for.
    """
    if deliver is Deliver.S3:
        raise BadRequestError("deliver: s3 is about plain MP4s that are made, and this source is a file that is sent as it is.")


def body_limit(settings: Settings) -> int:
    """Return how many bytes the body of one response can have."""
    return settings.response_limit - MAX_PRELUDE_BYTES


def check_silence(estimated_bytes: int | None, encoded: float, *, limit: float | None, parameter: str, way_out: str) -> None:
    """Check how long a plain MP4 takes to make: at most `limit` seconds if nothing can be sent meanwhile, or any time without a limit.

    Args:
        estimated_bytes: of the MP4, if they are known.
        encoded: how many seconds of it are re-encoded.
        limit: in seconds.
        parameter: which parameter of the request the message is about.
        way_out: a sentence about what else can be asked for.

    Raises:
        TooLargeError: it takes longer.
    """
    seconds = making_seconds(estimated_bytes=estimated_bytes, encoded_seconds=encoded)
    if limit is not None and seconds > limit:
        silence = f"a plain MP4 of this source takes about {seconds:.0f} s to make, and nothing could be sent for so long"
        raise TooLargeError(f"{parameter}: {silence}. {way_out}")


def encoded_seconds(plan: Plan) -> float:
    """Return how many seconds of video are known to be re-encoded, before any of it is fetched."""
    clip = plan.output_format.clip
    return plan.output_seconds if clip and clip.exact else 0.0


def check_stream(plan: Plan, settings: Settings, answer: Answer) -> None:
    """Check that an output can be streamed while it is made, as far as that can be told beforehand.

    Raises:
        TooLargeError: a response cannot be as long, or takes longer than the function may run.
    """
    limit, size = body_limit(settings), plan.estimated_bytes or 0
    if size > limit:
        raise TooLargeError(f"The MP4 has about {size} bytes; one response can have at most {limit}.")
    seconds = max(lambda_seconds(size), making_seconds(estimated_bytes=size, encoded_seconds=encoded_seconds(plan)))
    if answer.deadline is None:
        return
    usable = usable_seconds(answer.deadline - asyncio.get_running_loop().time(), margin=settings.deadline_margin_seconds)
    if seconds > usable:
        raise TooLargeError(f"The MP4 takes about {seconds:.0f} s to make and to send, longer than this function may run.")
