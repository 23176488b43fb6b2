"""In Chromium: what people do by mistake, or faster than the page, loses nothing and never saves something else than the card says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import page_states
from peers.browsers import Media, Visit, Visits
from peers.get_command import get
from peers.origin_rules import GOOD, Rule
from peers.origin_state import Origin


@pytest.fixture
def of_length(media: Media, serve: Serve) -> Callable[[float], str]:
    """Serve a video by whose playlist it has so many seconds, and return its address."""
    segment = (media("ts-separate-audio") / "large-0.ts").read_bytes()

    def begin(seconds: float) -> str:
        lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{seconds + 1:.0f}", f"#EXTINF:{seconds},", "large-0.ts", "#EXT-X-ENDLIST", ""]
        return serve({"/main.m3u8": "\n".join(lines).encode(), "/large-0.ts": segment}).url("/main.m3u8")

    return begin


def part_of(visiting: Visit) -> list[float]:
    """Return where the chosen part begins and ends."""
    return [float(visiting.page.input_value(f"#{each}")) for each in ("from", "to")]


def test_a_link_that_comes_while_another_is_looked_at_takes_its_place(source: Origin, visit: Visits) -> None:
    released = page_states.hold_path(source, "/slow.m3u8")
    visiting = visit()
    visiting.page.fill("#address", source.url("/slow.m3u8"))
    visiting.page.press("#address", "Enter")
    visiting.wait_for("go.classList.contains('busy')")
    visiting.page.press("#address", "Enter")
    assert len(visiting.asked("GET", "/info")) == 1
    visiting.look(source.url("/main.m3u8"))
    released.set()
    assert visiting.page.is_hidden("#problem")
    assert not visiting.page.evaluate("go.classList.contains('busy')")


def test_what_is_saved_at_once_after_a_choice_is_what_was_chosen(source: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    with page.expect_download() as download:
        page.evaluate("choices.elements.kind[1].click(), save.click()")
        assert (page.is_visible("#cancel"), page.is_hidden("#save")) == (True, True)
    assert download.value.suggested_filename == "video.m4a"
    download.value.save_as(tmp_path / "saved")
    assert get(source.url("/main.m3u8"), tmp_path / "expected", "--layout", "fragmented", "--format", "m4a").returncode == 0
    assert (tmp_path / "saved").read_bytes() == (tmp_path / "expected").read_bytes()
    assert "M4A" in page.inner_text("#summary")


def test_neither_a_double_click_nor_a_held_key_on_save_cancels(source: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    with page.expect_download():
        page.dblclick("#save", position={"x": 20, "y": 20})
    page.wait_for_selector("#done:not([hidden])")
    visiting.look(source.url("/main.m3u8"))
    page.focus("#save")
    with page.expect_download():
        for _ in range(4):
            page.keyboard.down("Enter")
        page.keyboard.up("Enter")
    page.wait_for_selector("#done:not([hidden])")
    assert len(visiting.downloads) == 2


def test_a_download_is_not_lost_by_what_comes_meanwhile(source: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    with page.expect_download(), page_states.saving(visiting, source):
        for each in ("box", "choices", "picker"):
            assert page.evaluate(f"document.getElementById('{each}').inert"), each
        page.evaluate("location.hash = 'url=https://a.example/other.m3u8'")
        visiting.wait_for("document.getElementById('status').textContent.startsWith('A video is being saved.')")
        assert page.is_visible("#cancel")
    page.wait_for_selector("#done:not([hidden])")
    assert not page.evaluate("choices.inert || box.inert")
    assert len(visiting.asked("GET", "/info")) == 1


def test_who_cancels_gets_back_to_the_button_with_the_keyboard(source: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    with page_states.saving(visiting, source):
        assert page.evaluate("document.activeElement.id") == "cancel"
        page.keyboard.press("Enter")
        assert page.inner_text("#status") == "Stopped. Nothing was saved."
        assert page.evaluate("document.activeElement.id") == "save"
    assert visiting.downloads == []


@pytest.mark.parametrize("seconds", [0, 0.04, 360_000])
def test_videos_of_no_and_of_great_length_have_a_card(seconds: float, of_length: Callable[[float], str], visit: Visits) -> None:
    visiting = visit()  # which fails for any message of the browser
    page = visiting.look(of_length(seconds))
    assert page.is_visible("#part") == (seconds > 1)
    assert ("100:00:00" in page.inner_text("#facts")) == (seconds > 1)
    assert page.is_enabled("#save")


def test_handles_that_meet_at_the_end_can_be_parted_again(of_length: Callable[[float], str], visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(of_length(3600))

    def drag(begin: float, end: float) -> None:
        """Drag between two places of the rail: 0 is its beginning, 1 its end."""
        page.wait_for_selector("#summary:not(.stale)")
        page.locator("#handles").scroll_into_view_if_needed()
        box = page.locator("#handles").bounding_box()
        assert box
        left, width, middle = box["x"] + 12, box["width"] - 24, box["y"] + box["height"] / 2
        page.mouse.move(left + begin * width, middle)
        page.mouse.down()
        page.mouse.move(left + end * width, middle, steps=4)
        page.mouse.up()

    drag(0, 1)
    assert part_of(visiting) == [3599.5, 3600]
    drag(1, 0)
    assert part_of(visiting) == [0, 3600]
    drag(1, 0)
    assert part_of(visiting) == [0, 0.5]
    drag(0, 1)
    assert part_of(visiting) == [0, 3600]


def test_a_time_that_is_none_is_not_saved_as_another(source: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    page.fill("#fromText", "2")
    page.press("#fromText", "Enter")
    for text in ("abc", "-1", "1e3", "0:01", "2", "1:2:3:4", "٣"):
        page.fill("#toText", text)
        page.press("#toText", "Enter")
        assert visiting.problem() == "This part does not exist.", text
        assert (page.get_attribute("#toText", "aria-invalid"), page.is_disabled("#save")) == ("true", True)
        assert part_of(visiting) == [2, 6]
    page.fill("#toText", "")
    page.press("#toText", "Enter")
    assert (page.get_attribute("#toText", "aria-invalid"), page.input_value("#toText")) == (None, "0:06")
    page.wait_for_selector("#problem", state="hidden")
    assert (page.is_enabled("#save"), part_of(visiting)) == (True, [2, 6])


def test_the_dialog_for_a_large_file_can_be_closed(media: Media, serve: Serve, visit: Visits) -> None:
    """Without a window, Chromium closes the dialog at once, as somebody who has changed their mind."""
    folder = media("ts-separate-audio")
    origin = serve(folder)
    origin.rules["/main.m3u8"] = Rule(body=(folder / "main.m3u8").read_bytes().replace(b"BANDWIDTH=9", b"BANDWIDTH=999"))
    visiting = visit()
    page = visiting.look(origin.url("/main.m3u8"))
    page.click("#save")
    visiting.wait_for("document.getElementById('status').textContent === 'Stopped. Nothing was saved.'")
    assert (page.is_hidden("#problem"), page.is_enabled("#save")) == (True, True)
    assert visiting.asked("GET", "/download") == []


def test_what_cannot_be_watched_says_why(source: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(source.url("/main.m3u8"))
    source.decide = lambda request, _earlier: Rule(status=404) if request.path.endswith(".m3u8") else GOOD
    page.click("#watch")
    assert visiting.problem() == "The site that has the video does not send all of it."
    assert page.is_visible("#watch")
