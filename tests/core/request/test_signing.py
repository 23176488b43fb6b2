"""Signed links hold until they expire, and not a character may be changed."""

import hashlib
import hmac
import re
import time
import urllib.parse
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transcoder.core.request.query import parse_query
from transcoder.core.request.signing import check, query_of, signed, usable_keys
from transcoder.errors import BadRequestError, BadSignatureError

OLD, NEW = b"an old key of 16 bytes", b"a new key of many bytes"
LINK = {"url": "https://a.example/v.m3u8?x=1&y=ü", "height": "720"}
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")))


def test_a_link_holds_until_it_expires() -> None:
    link = signed(LINK, key=NEW, expires=1000)
    check(link, keys=[NEW], now=999.9)
    with pytest.raises(BadSignatureError, match="expired"):
        check(link, keys=[NEW], now=1000)


def test_the_recipe_in_the_readme_makes_links_that_hold() -> None:
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    recipe = re.search(r"```python\n(def signed_link.*?)```", readme, re.DOTALL)
    assert recipe
    names: dict[str, Any] = {"hmac": hmac, "time": time, "urllib": urllib}
    exec(recipe[1], names)  # noqa: S102  # it is what the reader is told to run
    link = names["signed_link"]("https://x.example", NEW.decode(), LINK, 60)
    check(parse_query(link.removeprefix("https://x.example/download?")).values, keys=[NEW], now=time.time())


def test_what_is_signed_is_one_text() -> None:
    text = "exp=1000\nheight=720\nurl=https://a.example/v.m3u8?x=1&y=ü"
    assert signed(LINK, key=NEW, expires=1000)["sig"] == hmac.new(NEW, text.encode(), hashlib.sha256).hexdigest()


def test_an_old_key_still_holds_while_it_is_listed() -> None:
    link = signed(LINK, key=OLD, expires=1000)
    check(link, keys=[NEW, OLD], now=1)
    with pytest.raises(BadSignatureError, match="does not hold"):
        check(link, keys=[NEW], now=1)


@given(st.dictionaries(TEXT, TEXT), st.sampled_from(["exp", "sig"]))
def test_what_is_missing_is_named(values: dict[str, str], name: str) -> None:
    link = signed(values, key=NEW, expires=1000)
    del link[name]
    with pytest.raises(BadSignatureError, match="missing"):
        check(link, keys=[NEW], now=1)


@given(st.data())
def test_nothing_may_be_changed_added_or_left_out(data: st.DataObject) -> None:
    values = data.draw(st.dictionaries(TEXT.filter(lambda name: name not in {"exp", "sig"}), TEXT, min_size=1))
    link = signed(values, key=NEW, expires=1000)
    check(link, keys=[NEW], now=1)
    changed = dict(link)
    name = data.draw(st.sampled_from([*values, "exp", "sig", "another"]))
    changed[name] = data.draw(TEXT)
    assume(changed != link)
    for forged in (changed, {key: text for key, text in link.items() if key != next(iter(values))}):
        with pytest.raises(BadSignatureError):
            check(forged, keys=[NEW], now=1)


def test_a_value_cannot_pretend_to_be_two() -> None:
    with pytest.raises(BadRequestError, match="control"):
        signed({"filename": "a\nurl=https://b.example"}, key=NEW, expires=1000)
    link = signed({"filename": "a", "url": "b"}, key=NEW, expires=1000)
    with pytest.raises(BadSignatureError):
        check({"filename": "a\nurl=b", "exp": link["exp"], "sig": link["sig"]}, keys=[NEW], now=1)


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1e9", "٣", "9" * 13])
def test_an_expiry_is_a_number(expires: str) -> None:
    link = signed(LINK, key=NEW, expires=1000) | {"exp": expires}
    with pytest.raises(BadSignatureError):
        check(link, keys=[NEW], now=1)


def test_both_forms_of_the_address_are_signed_alike() -> None:
    link = signed(LINK, key=NEW, expires=1000)
    assert dict(parse_qsl(query_of(link))) == link
    check(parse_query(query_of(link)).values, keys=[NEW], now=1)
    raw = f"height=720&exp=1000&sig={link['sig']}&url={LINK['url']}"
    check(parse_query(raw).values, keys=[NEW], now=1)
    with pytest.raises(BadSignatureError, match="missing"):
        check(parse_query(f"height=720&url={LINK['url']}&exp=1000&sig={link['sig']}").values, keys=[NEW], now=1)


def test_short_keys_are_refused() -> None:
    assert usable_keys(["0123456789abcdef", b"0123456789abcdef"]) == (b"0123456789abcdef",) * 2
    with pytest.raises(BadRequestError, match="16"):
        usable_keys(["too short"])
