"""Access to Reddit: the tokens of its API, and which hosts may be connected to, with a Reddit on loopback."""

import json
from collections.abc import Iterator

import pytest
from peers.application import Answered, ask, ask_all
from peers.origin_rules import Rule
from peers.reddit import Reddit, reddit

from transcoder import __version__
from transcoder.settings import Settings

FAST_FAILING = Settings(attempts=1, read_seconds=5.0)


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        yield running


TOKEN = {"access_token": "a-token", "token_type": "bearer", "expires_in": 3600, "scope": "*"}


WITH_KEY = Settings(reddit_client_id="an id", reddit_client_secret="a secret", attempts=1)  # noqa: S106  # a test secret


def ask_with_oauth(token: Rule, targets: list[str], settings: Settings = WITH_KEY) -> tuple[list[Answered], Reddit]:
    with reddit() as site:
        site.origin.rules["/api/v1/access_token"] = token
        return ask_all(targets, network=site.network, settings=settings), site


def test_a_registered_application_uses_one_token_for_several_posts() -> None:
    answers, site = ask_with_oauth(
        Rule(body=json.dumps(TOKEN).encode()), ["/info?url=https://redd.it/p2025", "/info?url=https://redd.it/p2024"]
    )
    assert [answer.status for answer in answers] == [200, 200]
    requests = site.origin.requests
    assert [request.method for request in requests].count("POST") == 1
    assert requests[0].body == b"grant_type=client_credentials"
    assert requests[0].headers["authorization"] == "Basic YW4gaWQ6YSBzZWNyZXQ="
    posts = [request for request in requests if request.headers["host"] == "oauth.reddit.com"]
    assert [request.headers["authorization"] for request in posts] == ["Bearer a-token"] * 2
    assert not [request for request in requests if request.headers["host"] == "v.redd.it" and "authorization" in request.headers]


@pytest.mark.parametrize(("seconds", "tokens"), [(59, 2), (3600, 1)])
def test_a_token_is_not_used_in_its_last_minute(seconds: int, tokens: int) -> None:
    rule = Rule(body=json.dumps({**TOKEN, "expires_in": seconds}).encode())
    answers, site = ask_with_oauth(rule, ["/info?url=https://redd.it/p2025", "/info?url=https://redd.it/p2024"])
    assert [answer.document["step"] for answer in answers] == ["oauth", "oauth"]
    requests = site.origin.requests
    assert [request.method for request in requests].count("POST") == tokens
    agents = {
        request.headers["user-agent"] for request in requests if request.method == "POST" or request.headers["host"] == "oauth.reddit.com"
    }
    assert agents == {f"python:an id:{__version__}"}


def test_a_rejected_token_is_renewed_once() -> None:
    with reddit() as site:
        site.origin.rules["/api/v1/access_token"] = Rule(body=json.dumps(TOKEN).encode())
        site.origin.rules["/comments/p2025"] = Rule(status=401, times=1)
        settings = Settings(reddit_client_id="an id", attempts=1)
        assert ask("/info?url=https://redd.it/p2025", network=site.network, settings=settings).status == 200
        assert [request.method for request in site.origin.requests].count("POST") == 2


def test_an_api_key_that_reddit_rejects_is_reported() -> None:
    settings = WITH_KEY._replace(reddit_steps=("oauth",))
    answers, _ = ask_with_oauth(Rule(status=401, body=b'{"error": 401}'), ["/info?url=https://redd.it/p2025"], settings)
    assert answers[0].problem[:2] == (502, "upstream-blocked")
    assert "API key" in answers[0].problem[2]


def test_an_api_key_that_reddit_rejects_does_not_keep_the_other_steps_from_answering() -> None:
    answers, _ = ask_with_oauth(Rule(status=401, body=b'{"error": 401}'), ["/info?url=https://redd.it/p2025"])
    assert answers[0].document["step"] == "feed"


def test_an_api_key_that_reddit_rejects_is_not_tried_again_for_each_post() -> None:
    targets = ["/info?url=https://redd.it/p2025", "/info?url=https://redd.it/p2024"]
    answers, site = ask_with_oauth(Rule(status=401, body=b'{"error": 401}'), targets)
    assert [answer.document["step"] for answer in answers] == ["feed", "feed"]
    assert [request.method for request in site.origin.requests].count("POST") == 1


def test_a_host_name_with_a_private_address_is_refused() -> None:
    with reddit(names={"inside.example": "10.0.0.1"}) as site:
        site.origin.rules["/r/aww/s/AbCdEf1234"] = Rule(redirect="https://v.redd.it/era2025one")
        site.origin.rules["/era2025one/HLSPlaylist.m3u8"] = Rule(redirect="https://inside.example/HLSPlaylist.m3u8")
        answer = ask("/download?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (403, "forbidden-source")


ALLOWED = Settings(allowed_hosts=("reddit.com", "redd.it"), attempts=1)


def test_only_sources_on_allowed_hosts_are_served(site: Reddit) -> None:
    assert ask("/info?url=https://redd.it/p2025", network=site.network, settings=ALLOWED).status == 200
    answer = ask("/info?url=https://elsewhere.example/era2025one/HLSPlaylist.m3u8", network=site.network, settings=ALLOWED)
    assert answer.problem[:2] == (403, "forbidden-source")
    assert "elsewhere.example" in answer.problem[2]


def test_a_redirect_to_a_host_that_is_not_allowed_is_refused() -> None:
    with reddit() as site:
        site.origin.rules["/era2025one/HLSPlaylist.m3u8"] = [
            Rule(redirect="https://elsewhere.example/era2025one/HLSPlaylist.m3u8", times=1),
            Rule(),
        ]
        answer = ask("/download?url=https://v.redd.it/era2025one", network=site.network, settings=ALLOWED)
    assert answer.problem[:2] == (403, "forbidden-source")


def test_segments_may_be_on_a_host_that_is_not_allowed(site: Reddit) -> None:
    site.origin.rules["/era2018one/HLS_270_v4.m3u8"] = Rule(
        body=site.origin.files["/era2018one/HLS_270_v4.m3u8"].replace(b"\nHLS", b"\nhttps://elsewhere.example/era2018one/HLS")  # type: ignore[index]
    )
    before = len(site.requested())
    answer = ask("/download?url=https://v.redd.it/era2018one", network=site.network, settings=ALLOWED)
    assert answer.status == 200
    assert "elsewhere.example/era2018one/HLS_270_v4.ts" in site.requested()[before:]
