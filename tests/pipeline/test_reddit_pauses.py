"""Tests what is kept from one request to Reddit to the next: answers, and the pauses that hosts ask for."""

from transcoder.pipeline.reddit.kept_answers import KeptAnswers
from transcoder.pipeline.reddit.site import MAX_REST_SECONDS, RestingHosts


def test_an_answer_is_kept_for_its_time() -> None:
    kept = KeptAnswers[str]()
    kept.keep("a", "first", until=10.0)
    assert (kept.get("a", now=9.9), kept.get("a", now=10.0), kept.get("b", now=0.0)) == ("first", None, None)
    kept.keep("a", "second", until=20.0)
    assert kept.get("a", now=10.0) == "second"


def test_the_oldest_of_too_many_answers_is_forgotten() -> None:
    kept = KeptAnswers[int](limit=3)
    for number in (1, 2, 3, 1, 4):
        kept.keep(number, number, until=10.0)
    assert [kept.get(number, now=0.0) for number in (1, 2, 3, 4)] == [1, None, 3, 4]


def test_a_host_rests_as_long_as_it_asks_up_to_a_limit() -> None:
    resting = RestingHosts()
    resting.note("a.example", 60.0, now=100.0)
    resting.note("b.example", 1e6, now=100.0)
    resting.note("c.example", None, now=100.0)
    assert [resting.seconds(host, now=110.0) for host in ("a.example", "b.example", "c.example")] == [50.0, MAX_REST_SECONDS - 10.0, 0.0]
    assert resting.seconds("a.example", now=200.0) == 0.0
