"""A run, with everything that is drawn for it: a function of the seed and the run's number alone."""

from dataclasses import dataclass, field
from enum import Enum
from random import Random

from faults.changes import Changed
from faults.exchange import Transport, undisturbed
from faults.kinds import KINDS, draw_kind
from faults.source import TRACKS, Piece, Source, source

UNDISTURBED = "undisturbed"
UNDISTURBED_SHARE = 0.1


class Way(Enum):
    """How the source is turned into an MP4; the value of the last two is the option of `transcoder serve`."""

    GET = "get"
    SERVE_CUT = "cut"
    SERVE_CLEAN = "clean"


class Feature(Enum):
    """What an origin cannot do, or does to everything."""

    PLAIN = "plain"
    NO_VALIDATORS = "no validators"
    NO_RANGES = "no ranges"
    NEITHER = "neither"
    GZIP = "gzip"

    @property
    def has_ranges(self) -> bool:
        """Whether the origin answers range requests."""
        return self in {Feature.PLAIN, Feature.NO_VALIDATORS}


class Class(Enum):
    """What may be expected of a run."""

    UNDISTURBED = "undisturbed"
    TRANSIENT = "transient"
    """The fault passes after one or two tries."""
    PERMANENT = "permanent"
    UNDECODABLE = "undecodable"
    """Sizes, times and counts are intact; only decoding could show the fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What an origin does wrong."""

    pieces: frozenset[Piece] = frozenset()
    changed: Changed = field(default_factory=dict)
    transport: Transport = undisturbed
    lasts: int | None = 0
    """For how many requests of a kind for a piece; None: for all."""
    of_ranges: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One download."""

    seed: str
    number: int
    source: Source
    way: Way
    feature: Feature
    kind: str
    fault: Fault

    @property
    def class_(self) -> Class:
        """What may be expected of the run."""
        if self.kind == UNDISTURBED:
            return Class.UNDISTURBED
        if KINDS[self.kind].undecodable:
            return Class.UNDECODABLE
        return Class.TRANSIENT if self.fault.lasts is not None else Class.PERMANENT

    def __str__(self) -> str:
        """Describe the run for a person."""
        way = "get" if self.way is Way.GET else f"serve {self.way.value}"
        parts = [self.kind, self.source.name.removeprefix("faults-"), way, self.feature.value]
        if self.fault.pieces:
            lasts = "always" if self.fault.lasts is None else f"{self.fault.lasts}x"
            parts += [" ".join(sorted(map(str, self.fault.pieces))), lasts]
        return ", ".join(parts)


def draw(seed: str, number: int) -> Run:
    """Draw run `number` of a seed."""
    random = Random(f"{seed}:{number}")  # noqa: S311  # nothing secret
    way = random.choices(list(Way), [0.4, 0.3, 0.3])[0]
    if random.random() < UNDISTURBED_SHARE:
        feature = _feature(random, ranges=False)
        return Run(seed, number, source(random.choice(list(TRACKS))), way, feature, UNDISTURBED, Fault())
    name = draw_kind(random)
    kind = KINDS[name]
    chosen = random.choice([each for each in map(source, TRACKS) if kind.targets(each)])
    piece = random.choice(kind.targets(chosen))
    changed = kind.change(chosen, piece, random) if kind.change else {}
    transport = kind.transport(random) if kind.transport else undisturbed
    lasts = None if kind.undecodable else random.choices([1, 2, None], [0.35, 0.25, 0.4])[0]
    fault = Fault(frozenset({piece, *changed}), changed, transport, lasts, kind.of_ranges)
    return Run(seed, number, chosen, way, _feature(random, ranges=kind.of_ranges), name, fault)


def _feature(random: Random, *, ranges: bool) -> Feature:
    """Draw an origin's features; one with `ranges`, if the fault needs them."""
    weights = {Feature.PLAIN: 0.4, Feature.NO_VALIDATORS: 0.15, Feature.NO_RANGES: 0.15, Feature.NEITHER: 0.1, Feature.GZIP: 0.2}
    allowed = [feature for feature in Feature if feature.has_ranges or not ranges]
    return random.choices(allowed, [weights[feature] for feature in allowed])[0]
