"""What a job keeps: keys, indexes and room in the temporary folder; and how damage gets the name of its segment."""

import asyncio
from collections.abc import Generator
from urllib.parse import quote_from_bytes

import pytest
from conftest import Serve
from fault_sets import KEY, encrypt
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.fetch_calls import SETTINGS, with_fetcher
from peers.origin import Rule

from transcoder.core.hls.plan import ByteRange, Init, Plan, Segment
from transcoder.core.hls.plan import Key as SegmentKey
from transcoder.core.media.mp4.byte_map import ByteMap
from transcoder.core.media.mp4.plain_movie import PlainMovie
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.labels import NO_LABELS, Labels
from transcoder.edge.fetch import Fetcher, Validators
from transcoder.errors import DamagedMediaError, TooLargeError, UnsupportedSourceError, UpstreamError
from transcoder.pipeline.index_cache import IndexCache, index_key
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.plain_file import PlainFile
from transcoder.pipeline.segment_names import about, about_listed
from transcoder.pipeline.steps import in_steps
from transcoder.pipeline.storage_limit import StorageLimit, check_storage
from transcoder.settings import MIB

SECTION = bytes(range(100))
IV = (1).to_bytes(16)
URL = "https://a.example/film/1.ts?token=secret"


def data(content: bytes) -> str:
    return "data:," + quote_from_bytes(content)


def test_a_key_and_a_section_are_fetched_once_whoever_needs_them(serve: Serve) -> None:
    origin = serve({"/key": KEY, "/init": encrypt(SECTION, number=1), "/film": bytes(50) + SECTION})
    key = SegmentKey(origin.url("/key"), IV)
    init, plain = Init(origin.url("/init"), None, key), Init(origin.url("/film"), ByteRange(50, 100), None)

    async def use(fetcher: Fetcher) -> None:
        keys = KeyStore(fetcher, max_init_bytes=112)
        assert await keys.decryptor(None) is None
        assert await keys.initialization_section(None) == b""
        found = await asyncio.gather(*[keys.initialization_section(each) for each in (init, plain, init, init)])
        assert found == [SECTION] * 4
        first, second = await asyncio.gather(keys.decryptor(key), keys.decryptor(key._replace(iv=(2).to_bytes(16))))
        assert first is not None
        assert second is not None
        assert first is not second
        assert first.feed(encrypt(SECTION, number=1)) + first.end() == SECTION
        assert second.feed(encrypt(SECTION, number=2)) + second.end() == SECTION

    with_fetcher(use)
    assert sorted(request.path for request in origin.requests) == ["/film", "/init", "/key"]


@pytest.mark.parametrize(("times", "is_found"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_key_that_has_not_the_length_of_one_is_asked_for_again(times: int, serve: Serve, *, is_found: bool) -> None:
    origin = serve({"/key": KEY})
    origin.rules["/key"] = Rule(body=b"<html>", times=times)

    async def use(fetcher: Fetcher) -> bool:
        return await KeyStore(fetcher, max_init_bytes=100).decryptor(SegmentKey(origin.url("/key"), IV)) is not None

    if is_found:
        assert with_fetcher(use)
    else:
        with pytest.raises(UpstreamError, match="has 6 bytes"):
            with_fetcher(use)
    assert len(origin.requests) == min(times + 1, 3)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_page_in_place_of_a_section_is_not_believed_at_once(times: int, serve: Serve) -> None:
    origin = serve({"/init": SECTION})
    origin.rules["/init"] = Rule(body=b"<html>".ljust(100), times=times)

    async def use(fetcher: Fetcher) -> bytes:
        return await KeyStore(fetcher, max_init_bytes=MIB).initialization_section(Init(origin.url("/init"), None, None))

    assert with_fetcher(use) == SECTION
    assert len(origin.requests) == times + 1


@pytest.mark.parametrize("length", [64 * 1024, 64 * 1024 + 1])
def test_what_is_much_longer_than_a_key_is_not_read(length: int) -> None:
    async def use(fetcher: Fetcher) -> object:
        return await KeyStore(fetcher, max_init_bytes=100).decryptor(SegmentKey(data(bytes(length)), IV))

    error = UnsupportedSourceError if length > 64 * 1024 else DamagedMediaError
    with pytest.raises(error):
        with_fetcher(use)


@pytest.mark.parametrize("more", [0, 1])
def test_a_section_may_be_exactly_as_long_as_its_limit(more: int) -> None:
    async def use(fetcher: Fetcher) -> bytes:
        return await KeyStore(fetcher, max_init_bytes=100).initialization_section(Init(data(bytes(100 + more)), None, None))

    if more:
        with pytest.raises(UnsupportedSourceError, match="longer than 100 bytes"):
            with_fetcher(use)
    else:
        assert with_fetcher(use) == bytes(100)


def test_a_section_that_does_not_decrypt_is_damaged() -> None:
    async def use(fetcher: Fetcher) -> bytes:
        init = Init(data(encrypt(SECTION, number=2)[:-16]), None, SegmentKey(data(KEY), IV))
        return await KeyStore(fetcher, max_init_bytes=MIB).initialization_section(init)

    with pytest.raises(DamagedMediaError, match="does not decrypt"):
        with_fetcher(use, SETTINGS)


@pytest.mark.parametrize(
    ("byte_range", "message", "expected"),
    [
        (None, "It is cut.", "1.ts at a.example: It is cut."),
        (ByteRange(100, 50), "It is cut.", "1.ts at a.example, bytes 100 to 149: It is cut."),
        (None, "1.ts at a.example: it is cut.", "1.ts at a.example: it is cut."),
        (ByteRange(100, 50), "1.ts at a.example is cut.", "1.ts at a.example is cut."),
    ],
)
def test_damage_gets_the_name_of_its_segment_once(byte_range: ByteRange | None, message: str, expected: str) -> None:
    listed = Segment(URL, 2.0, 0.0, byte_range, None, None)
    for block in (about(listed), about_listed((URL, byte_range))):
        with pytest.raises(DamagedMediaError) as caught, block:
            raise DamagedMediaError(message)
        assert str(caught.value) == expected


def test_the_innermost_name_stays() -> None:
    with (
        pytest.raises(DamagedMediaError, match=r"^1\.ts at a\.example: It is cut\.$"),
        about_listed(("https://b.example/2.ts", None)),
        about_listed((URL, None)),
    ):
        raise DamagedMediaError("It is cut.")


def test_what_is_no_damage_has_its_own_words() -> None:
    with pytest.raises(UnsupportedSourceError, match=r"^Not supported\.$"), about(Segment(URL, 2.0, 0.0, None, None, None)):
        raise UnsupportedSourceError("Not supported.")


class Kept:
    """A place for media."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.body = b""

    async def start(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    async def write(self, chunk: bytes) -> None:
        self.body += chunk


@pytest.mark.parametrize(("size", "fits"), [(None, True), (0, True), (1000, True), (1001, False)])
def test_the_temporary_folder_holds_exactly_so_much(size: int | None, *, fits: bool) -> None:
    kept = Kept()
    announcement = Announcement(1.0, {}, size)
    if fits:
        check_storage(size, limit=1000)
        asyncio.run(StorageLimit(kept, limit=1000).start(announcement))
        assert kept.announced == [announcement]
        return
    with pytest.raises(TooLargeError, match="may hold 1000 bytes"):
        check_storage(size, limit=1000)
    with pytest.raises(TooLargeError, match="may hold 1000 bytes"):
        asyncio.run(StorageLimit(kept, limit=1000).start(announcement))
    assert not kept.announced


@settings(max_examples=examples(40))
@given(st.lists(st.integers(0, 600), max_size=6))
def test_media_is_kept_until_there_is_no_more_room(lengths: list[int]) -> None:
    kept = Kept()

    async def write() -> None:
        limit = StorageLimit(kept, limit=1000)
        for length in lengths:
            await limit.write(bytes(length))

    if sum(lengths) <= 1000:
        asyncio.run(write())
        assert len(kept.body) == sum(lengths)
    else:
        with pytest.raises(TooLargeError):
            asyncio.run(write())
        assert len(kept.body) <= 1000


def index(size: int) -> PlainFile:
    movie = PlainMovie(ByteMap(bytes(size), []), 1.0, {})
    return PlainFile.of(movie, [("https://a.example/" + "a" * 100, Validators(None, None, None))], heads=1, head_bytes=1)


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3000), st.sampled_from(["keep", "find", "drop"])), max_size=30))
def test_the_indexes_that_were_used_last_are_kept_within_their_budget(steps: list[tuple[str, int, str]]) -> None:
    cache, model = IndexCache(5000), list[tuple[str, PlainFile]]()
    for key, size, step in steps:
        found = next((each for each in model if each[0] == key), None)
        if step == "find":
            assert cache.find(key) is (found[1] if found else None)
        elif step == "keep":
            file = index(size)
            cache.keep(key, file)
        else:
            cache.drop(key)
        if found:
            model.remove(found)
        if step == "find" and found:
            model.append(found)
        if step == "keep" and file.kept_bytes <= 5000:
            model.append((key, file))
            while sum(each.kept_bytes for _, each in model) > 5000:
                model.pop(0)
        assert cache.used == sum(each.kept_bytes for _, each in model)
    assert [cache.find(key) for key, _ in model] == [file for _, file in model]


def test_an_index_may_take_exactly_the_budget() -> None:
    file = index(100)
    for budget, is_kept in ((file.kept_bytes, True), (file.kept_bytes - 1, False)):
        cache = IndexCache(budget)
        cache.keep("a", file)
        assert (cache.find("a") is file) == is_kept
        assert cache.used == (budget if is_kept else 0)


def test_what_is_kept_of_an_index_is_more_than_its_head_and_its_addresses() -> None:
    assert index(1000).kept_bytes - index(0).kept_bytes == 1000
    assert index(0).kept_bytes >= 100


def test_an_index_is_found_for_the_same_plan_alone() -> None:
    plan, labels = Plan((), 6.0, 100), Labels({}, language="eng")
    keys = {
        index_key(*each, max_heads=count)
        for each in ((plan, NO_LABELS), (plan, labels), (plan._replace(target_seconds=7.0), labels))
        for count in (1, 2)
    }
    assert len(keys) == 6
    assert index_key(plan, labels, max_heads=1) in keys
    assert index_key(plan, labels._replace(tags={"title": "\ud800"}), max_heads=1) not in keys  # a name of a file may have such bytes
    assert all(len(key) == 64 for key in keys)


def test_everything_else_has_a_turn_between_two_steps() -> None:
    turns: list[str] = []

    def steps() -> Generator[None, None, int]:
        for number in range(3):
            turns.append(f"step {number}")
            yield
        return 7

    async def others() -> None:
        for number in range(3):
            turns.append(f"other {number}")
            await asyncio.sleep(0)

    async def run() -> int:
        found, _ = await asyncio.gather(in_steps(steps()), others())
        return found

    assert asyncio.run(run()) == 7
    assert turns == ["step 0", "other 0", "step 1", "other 1", "step 2", "other 2"]
