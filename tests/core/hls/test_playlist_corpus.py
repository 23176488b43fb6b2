"""Plans or refuses published playlists and streams, from a folder outside this repository that HLS_CORPORA names."""

import csv
import os
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

from transcoder.core.hls.plan import Plan
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, parse, require_media_playlist
from transcoder.core.hls.variant_selection import select_variants
from transcoder.errors import UnsupportedSourceError

CORPORA = Path(os.environ.get("HLS_CORPORA", "corpora-not-named"))
pytestmark = pytest.mark.skipif(
    not (CORPORA / "playlists.tsv").is_file(), reason="HLS_CORPORA does not name the folder of published streams"
)
ORIGIN = "https://media.example/"

REFUSED_ALTHOUGH_ENDED = {
    "media-variables": "imports a variable, and the multivariant playlist that would give it a value is missing",
    "llhls-delta-byte-range": "is a delta update: five of its segments are left out",
}
REFUSED_ALTHOUGH_MULTIVARIANT = {"hls_master_playlist_sap": "has renditions and no variant"}


def table(name: str, columns: list[str] | None = None) -> list[dict[str, str]]:
    with (CORPORA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, columns, delimiter="\t"))


def load(url: str) -> MediaPlaylist | MultivariantPlaylist:
    path = CORPORA / "streams" / unquote(url.removeprefix(ORIGIN))
    return parse(path.read_bytes().decode(), url)


def plan_of(entry: str) -> Plan:
    playlist = load(ORIGIN + entry)
    if isinstance(playlist, MediaPlaylist):
        return make_plan(playlist)
    choice = select_variants(playlist)[0]
    audio = require_media_playlist(load(choice.audio)) if choice.audio else None
    return make_plan(require_media_playlist(load(choice.video)), audio, bandwidth=choice.bandwidth)


def outcome(name: str) -> str:
    text = (CORPORA / "playlists" / name).read_bytes().decode(errors="replace")
    try:
        match parse(text, ORIGIN + "list.m3u8"):
            case MediaPlaylist() as playlist:
                return "plan" if make_plan(playlist).periods else "nothing"
            case MultivariantPlaylist() as playlist:
                return "variants" if select_variants(playlist) else "nothing"
    except UnsupportedSourceError:
        return "refused"


def kind(row: dict[str, str]) -> str:
    ended = "noENDLIST" not in row["flags"] or "TYPE:VOD" in row["flags"]
    return "media that ends" if row["kind"] == "media" and ended else row["kind"]


def test_each_published_playlist_is_planned_selected_from_or_refused() -> None:
    rows = table("playlists.tsv")
    assert Counter((kind(row), outcome(row["file"])) for row in rows) == {
        ("media that ends", "plan"): 97,
        ("media that ends", "refused"): 2,
        ("media", "refused"): 78,
        ("master", "variants"): 84,
        ("master", "refused"): 1,
        ("iframe", "refused"): 4,
        ("m3u-list (EXTINF:-1)", "refused"): 2,
        ("empty/other", "refused"): 7,
    }
    refused = [row["file"] for row in rows if kind(row) in {"media that ends", "master"} and outcome(row["file"]) == "refused"]
    for file in refused:
        assert any(name in file for name in {**REFUSED_ALTHOUGH_ENDED, **REFUSED_ALTHOUGH_MULTIVARIANT})


def test_each_published_stream_is_planned_or_refused_as_expected() -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for case in table("cases.tsv", ["name", "entry", "class"]):
        try:
            plan = plan_of(f"{case['name']}/{case['entry']}")
        except UnsupportedSourceError:
            outcomes[case["class"], "refused"] += 1
        else:
            outcomes[case["class"], "plan"] += bool(plan.periods)
    assert outcomes == {("exact", "plan"): 30, ("refuse", "refused"): 5, ("either", "refused"): 4}
