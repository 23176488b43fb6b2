"""What one step of the search for a post answers: each way of asking Reddit is a step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from transcoder.core.source.reddit.links import PostLink
from transcoder.core.source.reddit.post import Post
from transcoder.errors import TranscoderError, UnsupportedSourceError, UpstreamBlockedError, UpstreamTimeoutError

BLOCKED_ADVICE = (
    "Pass the address of the video itself instead (https://v.redd.it/…, from the share menu or the player), which needs no permission, "
    "or open the post in a browser and share it from there; the operator of this service can register an application at Reddit "
    "(TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET)."
)


class Found(NamedTuple):
    """The post, with its videos or with the post that it crossposts."""

    post: Post
    original: PostLink | None = None
    """The post that has the videos, if this one is a crosspost and the step does not tell them."""


class NotThere(NamedTuple):
    """The post does not exist, or has no video that can be used; no other step would find one."""

    message: str
    kind: type[TranscoderError] = UnsupportedSourceError

    def error(self) -> TranscoderError:
        """Return the error for the caller."""
        return self.kind(self.message)


@dataclass(frozen=True, slots=True)
class Blocked:
    """The step has no answer here; another one may have one."""

    reason: str
    """A status or a few words, such as `403` or `a gallery, whose videos it does not list`."""
    failure: type[TranscoderError] | None = None
    """`UpstreamBlockedError` if Reddit refused, another error if the request failed, None if the reply lacks what was asked for."""
    subreddit: str = ""
    """The name of the post's community, if the reply has it."""


Answer = Found | NotThere | Blocked


class Asked(NamedTuple):
    """A step that had no answer."""

    step: str
    """Its name in the setting."""
    label: str
    """What it asks, in a sentence."""
    answer: Blocked


def unanswered_error(asked: Sequence[Asked]) -> TranscoderError:
    """Return the error for a post that no step has an answer for: it names what was asked, and what the caller can do."""
    failures = [each.answer.failure for each in asked]
    listing = ", ".join(f"{each.label} ({each.answer.reason})" for each in asked)
    if asked and all(failure is not None and not issubclass(failure, UpstreamBlockedError) for failure in failures):
        kind = UpstreamTimeoutError if set(failures) == {UpstreamTimeoutError} else next(each for each in failures if each)
        return kind(f"Reddit failed. Asked: {listing}.")
    refused = all(failure is not None for failure in failures)
    lead = "Reddit refuses to answer this server." if refused else "Reddit does not tell this server where the video is."
    steps = ", ".join(f"{each.step}: {each.answer.reason}" for each in asked)
    return UpstreamBlockedError(f"{lead} Asked: {listing}. {BLOCKED_ADVICE}", steps=steps)


def crossposted(post: Post, original: Post) -> Post:
    """Return a crosspost with the videos of its original; everything else stays its own, as far as it is known."""
    known = [flag for flag in (post.over_18, original.over_18) if flag is not None]
    return replace(
        post,
        videos=original.videos,
        original=original.original or post.original,
        over_18=any(known) if known else None,
        thumbnail=post.thumbnail or original.thumbnail,
        poster=post.poster or original.poster,
    )
