"""The search for a post: one step after another until one has an answer, and from a crosspost to its original."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

from transcoder.core.source.reddit import Answer, Asked, Blocked, Found, NotThere, Post, PostLink, crossposted, unanswered_error
from transcoder.errors import BadRequestError, NotFoundError, TranscoderError, UpstreamBlockedError
from transcoder.pipeline.reddit.embed import Embed
from transcoder.pipeline.reddit.feed import Feed
from transcoder.pipeline.reddit.json_page import JsonPage
from transcoder.pipeline.reddit.oauth import OAuth
from transcoder.pipeline.reddit.site import Site
from transcoder.settings import PREFIX, Settings

MAX_CROSSPOSTS = 3
"""How many crossposts in a row are followed."""


class Step(Protocol):
    """One way of asking Reddit about a post."""

    @property
    def label(self) -> str:
        """What it asks, in a sentence."""

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what Reddit says about the post."""


@dataclass(frozen=True, slots=True)
class Located:
    """A post with at least one video, and the step that named it."""

    post: Post
    step: str


class Unanswered(NamedTuple):
    """No step has an answer."""

    asked: tuple[Asked, ...]

    @property
    def is_refusal(self) -> bool:
        """Whether every step was answered, if only with a refusal; otherwise the next try may go better."""
        return all(each.answer.failure in {None, UpstreamBlockedError} for each in self.asked)

    def error(self) -> TranscoderError:
        """Return the error for the caller."""
        return unanswered_error(self.asked)


Result = Located | NotThere | Unanswered


class Search:
    """Asks the configured steps."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        """Ask `steps` in their order."""
        self._steps = steps

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Return the search with the steps of `settings`.

        Raises:
            BadRequestError: they name an unknown step or one twice, or there is none that can be asked.

        """
        known: dict[str, Step] = {"oauth": OAuth(settings), "feed": Feed(), "embed": Embed(), "json": JsonPage()}
        names = settings.reddit_steps
        usable = [name for name in names if name != "oauth" or settings.reddit_client_id]
        if set(names) - set(known) or len(set(names)) < len(names) or not usable:
            message = f"{PREFIX}REDDIT_STEPS: {','.join(names)!r} must name some of {', '.join(known)}, each once; oauth needs a client id."
            raise BadRequestError(message)
        return cls({name: known[name] for name in usable})

    async def find(self, link: PostLink, site: Site) -> Result:
        """Return the post with its videos; a crosspost has the videos of its original."""
        seen, refusals = {link.id}, dict[str, Blocked]()
        located = await self._ask_in_turn(link, site, refusals)
        for _ in range(MAX_CROSSPOSTS):
            if not isinstance(located, _Crosspost):
                return located
            if located.original.id in seen:
                return NotThere("The post is a crosspost, and its original a crosspost of it, so there is no video.")
            seen.add(located.original.id)
            located = _joined(located.post, await self._ask_in_turn(located.original, site, refusals))
        too_many = NotThere(f"The post is a crosspost of crossposts; at most {MAX_CROSSPOSTS} in a row are followed.")
        return too_many if isinstance(located, _Crosspost) else located

    async def _ask_in_turn(self, link: PostLink, site: Site, refusals: dict[str, Blocked]) -> "Result | _Crosspost":
        """Return the first answer; a step that Reddit has refused already is not asked again, and is added to `refusals`."""
        asked = list[Asked]()
        for name, step in self._steps.items():
            answer = refusals.get(name) or await step.answer(link, site)
            match answer:
                case Found(post, original):
                    return Located(post, name) if original is None else _Crosspost(post, original)
                case NotThere(_, kind) if kind is NotFoundError and any(each.answer.subreddit for each in asked):
                    asked.append(Asked(name, step.label, Blocked("no such post, though another step shows it")))
                case NotThere():
                    return answer
                case Blocked():
                    asked.append(Asked(name, step.label, answer))
                    link = replace(link, subreddit=link.subreddit or answer.subreddit)
                    if answer.failure is UpstreamBlockedError:
                        refusals[name] = answer
        return Unanswered(tuple(asked))


@dataclass(frozen=True, slots=True)
class _Crosspost:
    """A post whose videos are those of another."""

    post: Post
    original: PostLink


def _joined(post: Post, original: Result | _Crosspost) -> Result | _Crosspost:
    """Return what was found of an original as something that was found of its crosspost."""
    match original:
        case Located() | _Crosspost():
            return replace(original, post=crossposted(post, original.post))
        case NotThere(message):
            return NotThere(f"The post is a crosspost, and its original cannot be used: {message}")
        case Unanswered():
            return original
