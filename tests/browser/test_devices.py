"""In Chromium: what the page does where a device saves or plays in another way.

Safari has not been seen. Chromium on Linux has neither a share sheet nor `ManagedMediaSource`, and a dialog that needs a person: the tests
put these functions into the page themselves, which shows what the page does with them, and not what the browsers do then.
"""

import base64
from collections.abc import Callable

from conftest import Serve
from peers.browsers import Visit, Visits, function_options
from peers.origin_rules import Rule
from peers.origin_state import Origin

Function = Callable[..., str]
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148"
SHARE_SHEET = """
delete window.showSaveFilePicker;
navigator.canShare = ({ files }) => files.every((file) => file instanceof File);
navigator.share = async ({ files }) => void (window.shared = files[0]);
0;
"""
DIALOG = """
window.showSaveFilePicker = async ({ suggestedName }) =>
    (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
0;
"""
"""The dialog makes an empty file, as that of a browser does; all else is done by the handle, which is Chromium's own."""


def content_of(visiting: Visit, file: str) -> tuple[str, bytes]:
    """Return type and content of the file that an expression of the page is, or promises."""
    visiting.page.evaluate(f"""(async () => {{
        const reader = new FileReader();
        reader.onload = () => (globalThis.content = reader.result);
        reader.readAsDataURL(await {file});
    }})()""")
    visiting.wait_for("Boolean(globalThis.content)")
    head, _, content = visiting.page.evaluate("content").partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(content)


def on_iphone(visit: Visits, *address: str) -> Visit:
    """Visit the page as an iPhone, whose share sheet writes down what it gets."""
    visiting = visit(*address, user_agent=IPHONE, has_touch=True)
    visiting.page.evaluate(SHARE_SHEET)
    return visiting


def shared(visiting: Visit) -> tuple[str, str, bytes]:
    """Press Share, and return name, type and content of what the share sheet has got."""
    visiting.page.wait_for_selector("#share:not([hidden])")
    visiting.page.click("#share")
    visiting.wait_for("Boolean(globalThis.shared)")
    return visiting.page.evaluate("shared.name"), *content_of(visiting, "shared")


def test_on_an_iphone_a_plain_mp4_is_shared(source: Origin, visit: Visits) -> None:
    visiting = on_iphone(visit)
    visiting.look(source.url("/main.m3u8"))
    visiting.page.click("#save")
    name, kind, content = shared(visiting)
    assert (name, kind) == ("video.mp4", "video/mp4")
    assert (content[4:8], b"moov" in content, b"moof" in content) == (b"ftyp", True, False)
    assert visiting.page.inner_text("#done").startswith("Ready, and whole: ")
    assert visiting.downloads == []


def test_on_an_iphone_a_stream_is_shared_with_a_sentence_where_there_is_no_plain_mp4(
    source: Origin, function: Function, visit: Visits
) -> None:
    visiting = on_iphone(visit, function(function_options(TRANSCODER_TMP_BYTES="100000")))
    visiting.look(source.url("/main.m3u8"))
    visiting.page.click("#save")
    content = shared(visiting)[2]
    assert (content[4:8], b"moof" in content) == (b"ftyp", True)
    assert "Files takes it; Photos may not." in visiting.page.inner_text("#done")


def test_on_an_iphone_other_files_are_asked_for_as_they_are(serve: Serve, visit: Visits) -> None:
    content = bytes(range(256)) * 1000
    visiting = on_iphone(visit)
    origin = serve({})
    origin.rules["/a.webm"] = Rule(status=200, body=content, headers={"Content-Type": "video/webm"})
    visiting.look(origin.url("/a.webm"))
    visiting.page.click("#save")
    assert shared(visiting) == ("a.webm", "video/webm", content)


def test_a_large_file_goes_where_the_dialog_says(seems_large: Origin, visit: Visits) -> None:
    visiting = visit()
    visiting.page.evaluate(DIALOG)
    visiting.look(seems_large.url("/main.m3u8"))
    visiting.page.click("#save")
    visiting.page.wait_for_selector("#done:not([hidden])")
    folder = "navigator.storage.getDirectory()"
    _, content = content_of(visiting, f"{folder}.then((folder) => folder.getFileHandle('video.mp4')).then((handle) => handle.getFile())")
    assert (content[4:8], content[-12:-8]) == (b"ftyp", b"mfro")
    assert visiting.downloads == []
    assert visiting.page.inner_text("#save") == "Save"


def test_after_a_failure_no_empty_file_is_left_where_the_dialog_said(seems_large: Origin, visit: Visits) -> None:
    visiting = visit()
    visiting.page.evaluate(DIALOG)
    visiting.look(seems_large.url("/main.m3u8"))
    seems_large.rules["/large-1.ts"] = Rule(status=404)
    visiting.page.click("#save")
    visiting.problem()
    visiting.wait_for("navigator.storage.getDirectory().then((folder) => folder.keys().next()).then(({ done }) => done)")


def test_a_managed_source_plays_without_remote_playback(source: Origin, visit: Visits) -> None:
    visiting = visit()
    visiting.page.evaluate("""
        window.ManagedMediaSource = class extends MediaSource {};
        delete window.MediaSource;
    """)
    page = visiting.look(source.url("/main.m3u8"))
    page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2")
    assert page.evaluate("video.disableRemotePlayback")


def test_without_media_sources_the_finished_file_is_played(source: Origin, visit: Visits) -> None:
    visiting = visit()
    visiting.page.evaluate("delete window.MediaSource")
    page = visiting.look(source.url("/main.m3u8"))
    page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2")
    assert any("layout=plain" in each for each in visiting.asked("GET", "/download"))


def test_in_forced_colours_what_is_chosen_and_how_far_it_is_can_be_seen(source: Origin, visit: Visits) -> None:
    visiting = visit(forced_colors="active")
    page = visiting.look(source.url("/main.m3u8"))
    outlines = page.evaluate("[...document.querySelectorAll('#kinds span')].map((each) => getComputedStyle(each).outlineStyle)")
    assert outlines == ["solid", "none", "none"]
    assert page.evaluate("getComputedStyle(bar).forcedColorAdjust") == "none"
