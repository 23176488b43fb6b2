"""Tests that signed links are valid until they expire, and only unchanged."""

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
from transcoder.core.request.signing import MIN_KEY_BYTES, check_signature, encode_keys, encode_query, sign
from transcoder.errors import BadRequestError, BadSignatureError

OLD, NEW = b"an old key of 16 bytes", b"a new key of many bytes"
LINK = {"url": "https://a.example/v.m3u8?x=1&y=ü", "height": "720"}
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")))


def test_a_link_is_valid_until_it_expires() -> None:
    link = sign(LINK, key=NEW, expires=1000)
    check_signature(link, keys=[NEW], now=999.9)
    with pytest.raises(BadSignatureError, match="expired"):
        check_signature(link, keys=[NEW], now=1000)


def test_half_a_character_can_be_signed() -> None:
    """Python makes such halves of bytes that are not UTF-8."""
    check_signature(sign({**LINK, "filename": "\ud800"}, key=NEW, expires=1000), keys=[NEW], now=0)


def test_a_link_may_be_signed_again() -> None:
    link = sign(sign(LINK, key=OLD, expires=1000), key=NEW, expires=2000)
    assert link == sign(LINK, key=NEW, expires=2000)
    check_signature(link, keys=[NEW], now=1999)


@pytest.mark.parametrize("missing", ["exp", "sig"])
def test_a_link_without_both_of_its_parameters_is_unsigned(missing: str) -> None:
    link = {name: text for name, text in sign(LINK, key=NEW, expires=1000).items() if name != missing}
    with pytest.raises(BadSignatureError, match="exp and sig are missing"):
        check_signature(link, keys=[NEW], now=0)


def test_the_recipe_in_the_document_makes_valid_links() -> None:
    document = Path(__file__).parents[3].joinpath("docs", "embedding.md").read_text(encoding="utf-8")
    recipe = re.search(r"```python\n(def signed_link.*?)```", document, re.DOTALL)
    assert recipe
    names: dict[str, Any] = {"hmac": hmac, "time": time, "urllib": urllib}
    exec(recipe[1], names)  # noqa: S102  # the document tells its reader to run it
    link = names["signed_link"]("https://x.example", NEW.decode(), LINK, 60)
    check_signature(parse_query(link.removeprefix("https://x.example/download?")).values, keys=[NEW], now=time.time())


def test_the_signed_text_is_sorted_lines() -> None:
    text = "exp=1000\nheight=720\nurl=https://a.example/v.m3u8?x=1&y=ü"
    assert sign(LINK, key=NEW, expires=1000)["sig"] == hmac.new(NEW, text.encode(), hashlib.sha256).hexdigest()


def test_an_old_key_is_accepted_while_it_is_listed() -> None:
    link = sign(LINK, key=OLD, expires=1000)
    check_signature(link, keys=[NEW, OLD], now=1)
    with pytest.raises(BadSignatureError, match="is not valid"):
        check_signature(link, keys=[NEW], now=1)


@given(st.dictionaries(TEXT, TEXT), st.sampled_from(["exp", "sig"]))
def test_a_link_without_expiry_or_signature_is_refused(values: dict[str, str], name: str) -> None:
    link = sign(values, key=NEW, expires=1000)
    del link[name]
    with pytest.raises(BadSignatureError, match="missing"):
        check_signature(link, keys=[NEW], now=1)


@given(st.data())
def test_a_changed_added_or_missing_parameter_is_refused(data: st.DataObject) -> None:
    values = data.draw(st.dictionaries(TEXT.filter(lambda name: name not in {"exp", "sig"}), TEXT, min_size=1))
    link = sign(values, key=NEW, expires=1000)
    check_signature(link, keys=[NEW], now=1)
    changed = dict(link)
    name = data.draw(st.sampled_from([*values, "exp", "sig", "another"]))
    changed[name] = data.draw(TEXT)
    assume(changed != link)
    for forged in (changed, {key: text for key, text in link.items() if key != next(iter(values))}):
        with pytest.raises(BadSignatureError):
            check_signature(forged, keys=[NEW], now=1)


def test_a_value_cannot_pose_as_two_parameters() -> None:
    with pytest.raises(BadRequestError, match="control"):
        sign({"filename": "a\nurl=https://b.example"}, key=NEW, expires=1000)
    link = sign({"filename": "a", "url": "b"}, key=NEW, expires=1000)
    with pytest.raises(BadSignatureError):
        check_signature({"filename": "a\nurl=b", "exp": link["exp"], "sig": link["sig"]}, keys=[NEW], now=1)


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1e9", "٣", "9" * 13])
def test_an_expiry_is_a_number(expires: str) -> None:
    link = sign(LINK, key=NEW, expires=1000) | {"exp": expires}
    with pytest.raises(BadSignatureError):
        check_signature(link, keys=[NEW], now=1)


def test_encoded_and_literal_addresses_have_the_same_signature() -> None:
    link = sign(LINK, key=NEW, expires=1000)
    assert dict(parse_qsl(encode_query(link))) == link
    check_signature(parse_query(encode_query(link)).values, keys=[NEW], now=1)
    raw = f"height=720&exp=1000&sig={link['sig']}&url={LINK['url']}"
    check_signature(parse_query(raw).values, keys=[NEW], now=1)
    with pytest.raises(BadSignatureError, match="missing"):
        check_signature(parse_query(f"height=720&url={LINK['url']}&exp=1000&sig={link['sig']}").values, keys=[NEW], now=1)


def test_short_keys_are_refused() -> None:
    assert encode_keys(["0123456789abcdef", b"0123456789abcdef"]) == (b"0123456789abcdef",) * 2
    with pytest.raises(BadRequestError, match="16"):
        encode_keys(["too short"])


@pytest.mark.parametrize("short", ["x" * (MIN_KEY_BYTES - 1), b""])
def test_no_key_may_be_short(short: str | bytes) -> None:
    long = "x" * MIN_KEY_BYTES
    assert encode_keys([long, b"y" * MIN_KEY_BYTES]) == (long.encode(), b"y" * MIN_KEY_BYTES)
    for keys in ([short], [long, short], [short, long]):
        with pytest.raises(BadRequestError, match="A signing key is shorter than"):
            encode_keys(keys)
