"""How long bytes may be awaited, by what has come in the current window."""

from transcoder.edge.fetch.pace import RateWindow


def test_a_window_allows_what_is_missing_of_it() -> None:
    window = RateWindow(100, 10.0)
    assert window.patience == 10.0
    window.add(500, 4.0)
    assert window.patience == 6.0
    window.add(500, 1.0)  # the window has what it needs, so the next one may begin with a pause
    assert window.patience == 15.0
    window.add(1, 5.0)
    assert window.patience == 10.0
