"""The steps of the search for a Reddit post: which requests are made for each link when some steps are blocked, and what is found."""

import asyncio
from dataclasses import replace

import pytest
from peers.application import Answered, ask, ask_all
from peers.origin_rules import Rule
from peers.reddit import BLOCK_PAGE, Reddit, reddit
from peers.reddit_commands import FAST_FAILING, info
from peers.reddit_pages import FIXTURES

from transcoder.app import application
from transcoder.core.answer.event import Request
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

TITLE_2024, TITLE_2025 = "Agora que eu fui chutado pela última vou logo", "Straight up 📱: what now?"
POST = "www.reddit.com/r/u_filmer/comments/p2025/a_film/"
LOGIN = Rule(redirect="/login?reason=lor2&dest=https%3A%2F%2Fwww.reddit.com%2F")
HTML = {"Content-Type": "text/html"}


def feed(post: str) -> str:
    return f"www.reddit.com/comments/{post}/.rss"


def embed(subreddit: str, post: str) -> str:
    return f"embed.reddit.com/r/{subreddit}/comments/{post}/"


def json(post: str) -> str:
    return f"www.reddit.com/comments/{post}.json"


def playlist(folder: str) -> str:
    return f"v.redd.it/{folder}/HLSPlaylist.m3u8"


def asked_for_subtitles(folder: str) -> tuple[str, str]:
    """Return the requests for a playlist that lists no subtitles: the second one asks Reddit to list them, too."""
    return playlist(folder), playlist(folder)


def requests_of(site: Reddit) -> list[str]:
    """Return the requests to the site, and those for Multivariant Playlists."""
    return [each for each in site.requested() if not each.startswith("v.redd.it") or each.endswith("/HLSPlaylist.m3u8")]


def ask_about(link: str, *blocked: str, settings: Settings = FAST_FAILING) -> tuple[Answered, list[str]]:
    with reddit(blocked=blocked) as site:
        return ask(f"/info?url=https://{link}", network=site.network, settings=settings), requests_of(site)


@pytest.mark.parametrize(
    ("link", "blocked", "title", "step", "requests"),
    [
        (POST, "json", TITLE_2025, "feed", [feed("p2025"), playlist("era2025one")]),
        (POST, "feed json", TITLE_2025, "embed", [feed("p2025"), embed("u_filmer", "p2025"), playlist("era2025one")]),
        (POST, "feed embed", TITLE_2025, "json", [feed("p2025"), embed("u_filmer", "p2025"), json("p2025"), playlist("era2025one")]),
        ("redd.it/p2025", "json", TITLE_2025, "feed", [feed("p2025"), playlist("era2025one")]),
        ("redd.it/p2025", "feed", TITLE_2025, "json", [feed("p2025"), json("p2025"), playlist("era2025one")]),
        (
            "www.reddit.com/r/aww/s/AbCdEf1234",
            "json",
            TITLE_2025,
            "feed",
            ["www.reddit.com/r/aww/s/AbCdEf1234", feed("p2025"), playlist("era2025one")],
        ),
        ("v.redd.it/era2025one", "feed embed json", None, "media", [playlist("era2025one")]),
        ("www.reddit.com/video/era2025one", "feed embed json", None, "media", [playlist("era2025one")]),
        ("www.reddit.com/comments/pcross", "json", "Look at this", "feed", [feed("pcross"), feed("p2025"), playlist("era2025one")]),
        (
            "www.reddit.com/r/aww/comments/pcross/",
            "feed json",
            "Look at this",
            "embed",
            [feed("pcross"), embed("aww", "pcross"), embed("u_filmer", "p2025"), playlist("era2025one")],
        ),
        (
            "www.reddit.com/comments/pchain1",
            "json",
            "Look at pchain2",
            "feed",
            [feed("pchain1"), feed("pchain2"), feed("pchain3"), feed("p2024"), *asked_for_subtitles("era2024one")],
        ),
        ("redd.it/ptext", "json", "Two films in a text", "feed", [feed("ptext"), playlist("link/ptext/asset/assetone")]),
        (
            "www.reddit.com/r/aww/comments/pcomment/a/cdeep/",
            "json",
            "A film with answers",
            "feed",
            [feed("pcomment/_/cdeep"), playlist("link/pcomment/asset/duwg8xxrajsh1")],
        ),
        (
            "www.reddit.com/r/aww/comments/pcomment/a/cdeep/",
            "feed embed",
            "A film with answers",
            "json",
            [feed("pcomment/_/cdeep"), json("pcomment/_/cdeep"), playlist("link/pcomment/asset/duwg8xxrajsh1")],
        ),
        (
            "www.reddit.com/r/aww/comments/pcomment/a/cnofeed/",
            "json",
            "A film with answers",
            "feed",
            [feed("pcomment/_/cnofeed"), feed("pcomment"), *asked_for_subtitles("era2024one")],
        ),
        ("redd.it/pmany", "json", '"Many" <answers> & links', "feed", [feed("pmany"), *asked_for_subtitles("era2020one")]),
        (
            "www.reddit.com/gallery/pgallery",
            "",
            "A picture and two films",
            "json",
            [feed("pgallery"), embed("aww", "pgallery"), json("pgallery"), *asked_for_subtitles("link/pgallery/asset/assettwo")],
        ),
        (
            "redd.it/ppreview",
            "",
            "A cat, forever",
            "json",
            [feed("ppreview"), embed("aww", "ppreview"), json("ppreview"), *asked_for_subtitles("era2020one")],
        ),
    ],
)
def test_each_link_is_found_by_the_first_step_that_answers(
    link: str, blocked: str, title: str | None, step: str, requests: list[str]
) -> None:
    answer, made = ask_about(link, *blocked.split())
    assert answer.status == 200, answer.body.decode()
    assert (answer.document["title"], answer.document["step"], made) == (title, step, requests)
    assert answer.notes["reddit_step"] == step


@pytest.mark.parametrize(
    ("link", "blocked", "outcome", "message", "requests"),
    [
        (
            POST,
            "feed embed json",
            (502, "upstream-blocked"),
            "the feed (403), the embed page (403), the JSON page (403)",
            [feed("p2025"), embed("u_filmer", "p2025"), json("p2025")],
        ),
        (
            "redd.it/p2025",
            "feed json",
            (502, "upstream-blocked"),
            "the embed page (not asked: the link lacks the name of the community)",
            [feed("p2025"), json("p2025")],
        ),
        (
            "www.reddit.com/gallery/pgallery",
            "json",
            (502, "upstream-blocked"),
            "does not tell this server where the video is. Asked: the feed (a gallery, whose videos it does not list), the embed page",
            [feed("pgallery"), embed("aww", "pgallery"), json("pgallery")],
        ),
        (
            "redd.it/pgif",
            "json",
            (502, "upstream-blocked"),
            "a GIF, whose MP4 it does not name",
            [feed("pgif"), embed("aww", "pgif"), json("pgif")],
        ),
        ("redd.it/premoved", "json", (422, "unsupported-source"), "removed, or is in a private community", [feed("premoved")]),
        ("redd.it/pwords", "json", (422, "unsupported-source"), "The post has no video.", [feed("pwords")]),
        ("redd.it/pyoutube", "json", (422, "unsupported-source"), "YouTube", [feed("pyoutube")]),
        ("redd.it/plink", "json", (422, "unsupported-source"), "page on example.com", [feed("plink")]),
        ("redd.it/pimage", "json", (422, "unsupported-source"), "an image", [feed("pimage")]),
        (
            "www.reddit.com/r/aww/comments/pimage/",
            "feed json",
            (422, "unsupported-source"),
            "an image",
            [feed("pimage"), embed("aww", "pimage")],
        ),
        ("redd.it/nothing", "json", (404, "not-found"), "no such post", [feed("nothing")]),
        ("redd.it/pcrossgone", "json", (422, "unsupported-source"), "its original cannot be used", [feed("pcrossgone"), feed("pnowhere")]),
        ("redd.it/pcircle1", "json", (422, "unsupported-source"), "a crosspost of it", [feed("pcircle1"), feed("pcircle2")]),
        (
            "redd.it/pchain0",
            "json",
            (422, "unsupported-source"),
            "at most 3 in a row",
            [feed("pchain0"), feed("pchain1"), feed("pchain2"), feed("pchain3")],
        ),
    ],
)
def test_each_link_without_an_answer_is_refused_with_its_reason(
    link: str, blocked: str, outcome: tuple[int, str], message: str, requests: list[str]
) -> None:
    answer, made = ask_about(link, *blocked.split())
    assert made == requests
    assert answer.problem[:2] == outcome
    assert message in answer.problem[2]


def test_a_block_names_what_the_caller_can_do_and_the_log_what_was_asked() -> None:
    answer, _ = ask_about(POST, "feed", "embed", "json")
    assert all(words in answer.problem[2] for words in ("https://v.redd.it/", "share it from there", "TRANSCODER_REDDIT_CLIENT_ID"))
    assert answer.notes["reddit_asked"] == "feed: 403, embed: 403, json: 403"


def test_a_crosspost_keeps_its_own_title_author_and_date() -> None:
    answer, _ = ask_about("redd.it/pchain1", "json")
    document = answer.document
    assert (document["title"], document["author"], document["posted"]) == ("Look at pchain2", "crossposter", "2023-11-14T22:13:20+00:00")
    assert document["page"] == "https://www.reddit.com/r/aww/comments/pchain1/a_film/"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (BLOCK_PAGE, "403"),
        (LOGIN, "sent to the login page"),
        (Rule(body=(FIXTURES / "login.html").read_bytes(), headers=HTML), "a page without the post"),
        (Rule(status=429, body=(FIXTURES / "challenge.html").read_bytes(), headers=HTML), "429"),
        (Rule(status=429, headers={"X-RateLimit-Remaining": "0.0", "X-RateLimit-Reset": "377"}), "429, for 377 s"),
        (Rule(status=429, headers={"Retry-After": "60"}), "429, for 60 s"),
        (Rule(status=500), "500"),
        (Rule(cut_after=10), "no answer"),
        (Rule(body=b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><feed/>", headers={"Content-Type": "text/xml"}), "no valid feed"),
        (Rule(body=b" " * (4 * 1024 * 1024 + 1), headers={"Content-Type": "application/atom+xml"}), "more than 4194304 bytes"),
        (Rule(body=b'<feed xmlns="http://www.w3.org/2005/Atom"/>'), "a feed without the post"),
    ],
)
def test_each_refusal_of_the_feed_gives_way_to_the_embed_page(rule: Rule, reason: str) -> None:
    with reddit() as site:
        site.origin.rules["/comments/p2025/.rss"] = rule
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=FAST_FAILING)
        assert answer.document["step"] == "embed"
    with reddit(blocked=["embed", "json"]) as site:
        site.origin.rules["/comments/p2025/.rss"] = rule
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=FAST_FAILING)
        assert answer.problem[:2] == (502, "upstream-blocked")
        assert f"the feed ({reason}" in answer.problem[2]


@pytest.mark.parametrize(
    ("status", "outcome", "message"),
    [
        (404, (404, "not-found"), "no such post"),
        (410, (404, "not-found"), "no such post"),
        (500, (502, "upstream-failed"), "the feed (500)"),
    ],
)
def test_other_answers_of_the_feed_are_outcomes_of_their_own(status: int, outcome: tuple[int, str], message: str) -> None:
    with reddit() as site:
        site.origin.rules["/comments/p2025/.rss"] = Rule(status=status)
        settings = FAST_FAILING._replace(reddit_steps=("feed",))
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=settings)
    assert answer.problem[:2] == outcome
    assert message in answer.problem[2]


def test_a_site_that_does_not_respond_is_a_timeout() -> None:
    with reddit() as site:
        site.origin.rules["/comments/p2025/.rss"] = Rule(stall_after=0)
        settings = Settings(attempts=1, read_seconds=0.3, reddit_steps=("feed",))
        assert ask(f"/info?url=https://{POST}", network=site.network, settings=settings).problem[:2] == (504, "upstream-timeout")


ELSEWHERE = "https://elsewhere.example/feed"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (ELSEWHERE, "sent to another site"),
        ("https://v.redd.it/feed", "sent to another site"),
        ("http://10.0.0.1/feed", "sent to another site"),
        ("ftp://www.reddit.com/feed", "sent to another site"),
        ("javascript:alert(1)", "sent to another site"),
        ("https://www.reddit.com.elsewhere.example/feed", "sent to another site"),
        ("/account/login?dest=x", "sent to the login page"),
        ("https://www.reddit.com/de-de/login/", "sent to the login page"),
        ("/register?dest=x", "sent to the login page"),
        ("/over18?dest=x", "sent to the age check"),
        ("/quarantine?dest=x", "sent to the page about quarantine"),
    ],
)
def test_a_redirect_to_another_page_is_no_answer(place: str, reason: str) -> None:
    with reddit(blocked=["embed", "json"]) as site:
        site.origin.rules["/feed"] = site.rules("/comments/p2025/.rss")
        site.origin.rules["/comments/p2025/.rss"] = Rule(redirect=place)
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=FAST_FAILING)
        asked = [each for each in site.requested() if not each.startswith("www.reddit.com/")]
    assert answer.problem[:2] == (502, "upstream-blocked")
    assert f"the feed ({reason})" in answer.problem[2]
    assert asked == [embed("u_filmer", "p2025")]


def test_a_token_does_not_go_to_another_site() -> None:
    settings = FAST_FAILING._replace(reddit_client_id="an id", reddit_steps=("oauth", "feed"))
    with reddit() as site:
        site.origin.rules["/api/v1/access_token"] = Rule(body=b'{"access_token": "a-token", "expires_in": 3600}')
        site.origin.rules["/comments/p2025"] = Rule(redirect=ELSEWHERE)
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=settings)
        assert answer.document["step"] == "feed"
        assert not [each for each in site.requested() if each.startswith("elsewhere.example")]


@pytest.mark.parametrize("missing", ["embed", "json"])
def test_a_step_that_lacks_a_post_is_not_believed_if_another_shows_it(missing: str) -> None:
    with reddit(blocked=["json"] if missing == "embed" else []) as site:
        site.origin.rules["/r/aww/comments/pgallery/" if missing == "embed" else "/comments/pgallery.json"] = Rule(status=404)
        answer = ask("/info?url=https://redd.it/pgallery", network=site.network, settings=FAST_FAILING)
        assert requests_of(site) == [feed("pgallery"), embed("aww", "pgallery"), json("pgallery")]
    assert answer.problem[:2] == (502, "upstream-blocked")
    assert "a gallery, whose videos it does not list" in answer.problem[2]


def test_an_embed_page_that_is_missing_does_not_mean_that_the_post_is() -> None:
    answer, made = ask_about("www.reddit.com/r/wrong/comments/p2025/", "feed")
    assert (answer.document["step"], made[:3]) == ("json", [feed("p2025"), embed("wrong", "p2025"), json("p2025")])


@pytest.mark.parametrize("rule", [BLOCK_PAGE, LOGIN, Rule(status=429), Rule(body=b"<!doctype html>", headers=HTML)])
def test_a_blocked_share_link_is_reported_as_a_block(rule: Rule) -> None:
    with reddit() as site:
        site.origin.rules["/r/aww/s/AbCdEf1234"] = rule
        answer = ask("/info?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network, settings=FAST_FAILING)
    assert answer.problem[:2] == (502, "upstream-blocked")
    assert "the share link (" in answer.problem[2]
    assert str(answer.notes["reddit_asked"]).startswith("share: ")
    assert "https://v.redd.it/" in answer.problem[2]


@pytest.mark.parametrize(
    "rule", [Rule(body=b"{}", headers={"Content-Type": "application/json"}), Rule(redirect="/r/aww/"), Rule(redirect="/")]
)
def test_a_share_link_that_leads_to_no_post_is_reported_as_none(rule: Rule) -> None:
    with reddit() as site:
        site.origin.rules["/r/aww/s/AbCdEf1234"] = rule
        answer = ask("/info?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=site.network, settings=FAST_FAILING)
    assert answer.problem[0] == 422
    assert "does not lead to a post" in answer.problem[2]


@pytest.mark.parametrize(
    ("steps", "found_by", "requests"),
    [
        (("embed", "feed"), "embed", [embed("u_filmer", "p2025")]),
        (("json", "feed"), "feed", [json("p2025"), feed("p2025")]),
        (("feed", "oauth"), "feed", [feed("p2025")]),
    ],
)
def test_the_setting_decides_which_steps_are_asked_in_which_order(steps: tuple[str, ...], found_by: str, requests: list[str]) -> None:
    settings = FAST_FAILING._replace(reddit_steps=steps, reddit_client_id="an id")
    answer, made = ask_about(POST, "json", settings=settings)
    assert answer.document["step"] == found_by
    assert made[:-1] == requests


@pytest.mark.parametrize("steps", ["feed,rss", "feed,feed", "oauth", ""])
def test_an_invalid_choice_of_steps_stops_the_program(steps: str) -> None:
    settings = Settings.from_env({"TRANSCODER_REDDIT_STEPS": steps})
    with pytest.raises(BadRequestError, match="TRANSCODER_REDDIT_STEPS"):
        ask("/health", settings=settings)


def test_the_setting_is_the_user_agent_of_requests_to_the_site_alone() -> None:
    with reddit(blocked=["feed", "json"]) as site:
        settings = FAST_FAILING._replace(reddit_user_agent="web:films:1.0 (by /u/operator)")
        assert ask(f"/info?url=https://{POST}", network=site.network, settings=settings).status == 200
        agents = {request.headers["host"]: request.headers["user-agent"] for request in site.origin.requests}
    assert agents["www.reddit.com"] == agents["embed.reddit.com"] == "web:films:1.0 (by /u/operator)"
    assert agents["v.redd.it"].startswith("Mozilla/5.0")


@pytest.mark.parametrize("link", ["redd.it/p2025", "www.reddit.com/r/aww/s/AbCdEf1234", "redd.it/premoved", "redd.it/pgallery"])
def test_ten_visitors_with_one_link_ask_once(link: str) -> None:
    with reddit() as site:
        answers = ask_all([f"/info?url=https://{link}"] * 10, network=site.network, settings=FAST_FAILING)
        asked = [each for each in site.requested() if not each.startswith("v.redd.it")]
    assert len({answer.status for answer in answers}) == 1
    assert len(set(asked)) == len(asked)


SAME = ["redd.it/p2025", "www.reddit.com/r/u_filmer/comments/p2025/", "old.reddit.com/user/FILMER/comments/P2025/a/?utm_name=x", POST]


@pytest.mark.parametrize(("blocked", "asked"), [("json", [feed("p2025")]), ("", [json("p2025")])])
def test_visitors_with_other_forms_of_a_link_ask_once(blocked: str, asked: list[str]) -> None:
    settings = FAST_FAILING if blocked else FAST_FAILING._replace(reddit_steps=("json",))
    with reddit(blocked=blocked.split()) as site:
        answers = ask_all([f"/info?url=https://{link}" for link in SAME], network=site.network, settings=settings)
        assert [each for each in site.requested() if not each.startswith("v.redd.it")] == asked
    assert {answer.status for answer in answers} == {200}


def test_a_link_with_its_community_is_asked_about_after_one_without() -> None:
    with reddit(blocked=["feed", "json"]) as site:
        answers = ask_all([f"/info?url=https://{link}" for link in SAME], network=site.network, settings=FAST_FAILING)
        made = [each for each in site.requested() if not each.startswith("v.redd.it")]
    assert [answer.status for answer in answers] == [502, 200, 200, 200]
    assert made == [feed("p2025"), json("p2025"), feed("p2025"), embed("u_filmer", "p2025")]


def test_visitors_at_the_same_time_ask_one_after_another() -> None:
    posts = ["pwords", "pwords", "pimage", "plink", "pwords"]

    async def visit(site: Reddit) -> None:
        async with application(FAST_FAILING, network=site.network) as serve:
            await asyncio.gather(*(serve(Request("GET", "/info", f"url=https://redd.it/{post}", {}), Answered()) for post in posts))

    with reddit() as site:
        for post in posts:
            site.origin.rules[f"/comments/{post}/.rss"] = [replace(rule, delay=0.1) for rule in site.rules(f"/comments/{post}/.rss")]
        asyncio.run(visit(site))
        assert sorted(site.requested()) == [feed(post) for post in sorted(set(posts))]
        assert site.origin.max_active_requests == 1


def test_a_short_pause_is_waited_for() -> None:
    with reddit(blocked=["embed", "json"]) as site:
        path = "/comments/p2025/.rss"
        site.origin.rules[path] = [Rule(status=429, headers={"Retry-After": "1"}, times=1), *site.rules(path)]
        answer, took = timed(site, f"/info?url=https://{POST}")
        assert (answer.document["step"], requests_of(site)[:2]) == ("feed", [feed("p2025")] * 2)
    assert took >= 1.0


def timed(site: Reddit, target: str) -> tuple[Answered, float]:
    async def run() -> tuple[Answered, float]:
        clock, answer = asyncio.get_running_loop().time, Answered()
        async with application(FAST_FAILING, network=site.network) as serve:
            began, (path, _, query) = clock(), target.partition("?")
            await serve(Request("GET", path, query, {}), answer)
            return answer, clock() - began

    return asyncio.run(run())


@pytest.mark.parametrize(
    "rule",
    [
        Rule(status=429, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "300"}),
        Rule(status=404, headers={"X-RateLimit-Remaining": "0.0", "X-RateLimit-Reset": "300"}),
    ],
)
def test_a_host_that_wants_a_long_pause_is_not_asked_again(rule: Rule) -> None:
    with reddit() as site:
        site.origin.rules["/comments/p2020/.rss"] = rule
        targets = ["/info?url=https://redd.it/p2020", f"/info?url=https://{POST}", "/info?url=https://redd.it/p2024"]
        answers = ask_all(targets, network=site.network, settings=FAST_FAILING)
        assert requests_of(site) == [feed("p2020"), embed("u_filmer", "p2025"), playlist("era2025one")]
    assert answers[1].document["step"] == "embed"
    assert "not asked: it wants no request for " in answers[2].problem[2]


def test_a_playlist_that_is_refused_once_is_asked_for_again() -> None:
    with reddit() as site:
        path = "/era2025one/HLSPlaylist.m3u8"
        site.origin.rules[path] = [Rule(status=403, times=1), *site.rules(path)]
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=FAST_FAILING)
        assert (answer.status, requests_of(site)[1:]) == (200, [playlist("era2025one")] * 2)


def test_a_redirect_of_the_feed_is_followed() -> None:
    with reddit() as site:
        path = "/r/u_filmer/comments/p2025/a_film/.rss"
        site.origin.rules[path] = site.rules("/comments/p2025/.rss")
        site.origin.rules["/comments/p2025/.rss"] = Rule(status=301, redirect=path)
        answer = ask(f"/info?url=https://{POST}", network=site.network, settings=FAST_FAILING)
        assert (answer.document["step"], site.requested()[:2]) == ("feed", [feed("p2025"), f"www.reddit.com{path}"])


def test_info_has_what_the_step_tells_about_the_post() -> None:
    by_feed, by_embed, by_json = (ask_about(POST, *blocked)[0].document for blocked in (["json"], ["feed", "json"], ["feed", "embed"]))
    for document in (by_feed, by_embed, by_json):
        assert (document["title"], document["subreddit"], document["posted"]) == (TITLE_2025, "u_filmer", "2022-06-30T07:09:24+00:00")
        assert document["silent"] is False
    assert (by_feed["author"], by_embed["author"], by_json["author"]) == ("someone", None, "someone")
    assert (by_feed["over_18"], by_embed["over_18"], by_json["over_18"]) == (None, False, False)
    thumbnail = {"url": "https://external-preview.redd.it/thumb.jpg?width=140&s=1", "width": None, "height": None}
    poster = {"url": "https://external-preview.redd.it/poster.jpg?format=pjpg&s=2", "width": None, "height": None}
    assert (by_feed["thumbnail"], by_feed["poster"]) == (thumbnail, None)
    assert (by_embed["thumbnail"], by_embed["poster"]) == (poster, poster)


def test_info_says_that_a_video_is_silent_or_for_adults() -> None:
    assert ask_about("redd.it/p2018", "json")[0].document["silent"] is True
    assert ask_about("www.reddit.com/r/aww/comments/padults/", "feed", "json")[0].document["over_18"] is True


def test_the_command_prints_what_is_known_of_a_post(capsys: pytest.CaptureFixture[str]) -> None:
    with reddit() as site:
        assert info(site, f"https://{POST}") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    expected = [
        f"title {TITLE_2025}",
        "subreddit u_filmer",
        "author someone",
        "posted 2022-06-30T07:09:24+00:00",
        "thumbnail https://external-preview.redd.it/thumb.jpg?width=140&s=1",
        "found by feed",
    ]
    assert [line for line in lines if line in expected] == expected


HOSTILE = r'"\ud83d \u001b[31mred\u001b]0;x\u0007\nend [/b]"'


def test_a_title_changes_neither_the_terminal_nor_the_response(capsys: pytest.CaptureFixture[str]) -> None:
    settings = FAST_FAILING._replace(reddit_steps=("json",))
    with reddit(blocked=[]) as site:
        text = (FIXTURES / "2018-silent.json").read_text().replace('"A silent film"', HOSTILE)
        site.origin.rules["/comments/p2018.json"] = Rule(body=text.encode(), headers={"Content-Type": "application/json"})
        answer = ask("/info?url=https://redd.it/p2018", network=site.network, settings=settings)
        assert info(site, "https://redd.it/p2018", settings=settings) == 0
    assert answer.document["title"] == "\N{REPLACEMENT CHARACTER} [31mred ]0;x end [/b]"
    printed = capsys.readouterr().out
    assert "[31mred ]0;x end [/b]" in printed
    assert all(character.isprintable() for character in printed.replace("\n", ""))
