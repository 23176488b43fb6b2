import re
from pathlib import Path

import pytest

from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"


def test_without_variables_every_setting_has_its_default() -> None:
    assert Settings.from_env({"PATH": "/bin", "HOME": "/root"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        pytest.param("TRANSCODER_FFMPEG", "/opt/ffmpeg", "ffmpeg", "/opt/ffmpeg", id="text"),
        pytest.param("TRANSCODER_ATTEMPTS", "7", "attempts", 7, id="whole number"),
        pytest.param("TRANSCODER_READ_SECONDS", "2.5", "read_seconds", 2.5, id="fraction"),
        pytest.param("TRANSCODER_ALLOWED_HOSTS", " reddit.com, redd.it,", "allowed_hosts", ("reddit.com", "redd.it"), id="list"),
        pytest.param("TRANSCODER_ALLOW_PRIVATE", "1", "allow_private", True, id="yes"),
        pytest.param("TRANSCODER_ALLOW_PRIVATE", "False", "allow_private", False, id="no"),
    ],
)
def test_a_variable_sets_its_field(name: str, text: str, field: str, value: object) -> None:
    assert getattr(Settings.from_env({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("TRANSCODER_ATEMPTS", "7", id="an unknown name"),
        pytest.param("TRANSCODER_ATTEMPTS", "seven", id="not a whole number"),
        pytest.param("TRANSCODER_READ_SECONDS", "soon", id="not a number"),
        pytest.param("TRANSCODER_ALLOW_PRIVATE", "perhaps", id="neither yes nor no"),
        pytest.param("TRANSCODER_CONNECTIONS", "0", id="no connections"),
        pytest.param("TRANSCODER_ATTEMPTS", "-1", id="a negative number"),
        pytest.param("TRANSCODER_RETRY_SECONDS", "-0.5", id="a negative time"),
        pytest.param("TRANSCODER_READ_SECONDS", "0", id="no time"),
        pytest.param("TRANSCODER_READ_SECONDS", "nan", id="no number at all"),
        pytest.param("TRANSCODER_STALL_SECONDS", "inf", id="infinity"),
        pytest.param("TRANSCODER_FFMPEG_SECONDS", "1e309", id="a number that becomes infinity"),
        pytest.param("TRANSCODER_MAX_FILE_BYTES", "", id="an empty number"),
        pytest.param("TRANSCODER_RESPONSE_LIMIT", "9" * 5000, id="very many digits"),
    ],
)
def test_an_invalid_variable_is_named(name: str, text: str) -> None:
    with pytest.raises(BadRequestError, match=name):
        Settings.from_env({name: text})


@pytest.mark.parametrize("name", ["RETRY_SECONDS", "DAILY_BYTES", "MAX_REDIRECTS", "CACHE_SECONDS", "DEADLINE_MARGIN_SECONDS"])
def test_some_numbers_may_be_zero(name: str) -> None:
    assert getattr(Settings.from_env({PREFIX + name: "0"}), name.lower()) == 0


def test_repr_hides_secrets() -> None:
    printed = repr(Settings.from_env({"TRANSCODER_SIGNING_KEYS": "a secret of length", "TRANSCODER_REDDIT_CLIENT_SECRET": "another"}))
    assert "secret of" not in printed
    assert "another" not in printed


def test_the_document_lists_every_variable_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(TRANSCODER_\w+)` \| `?([^`|]*?)`?\s*\|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    expected = {PREFIX + name.upper(): _as_text(default) for name, default in Settings._field_defaults.items()}
    assert listed == expected


def _as_text(default: object) -> str:
    match default:
        case bool():
            return "1" if default else "0"
        case float():
            return f"{default:g}"
        case tuple():
            return ",".join(default)
        case _:
            return str(default)
