"""Which requests are for the web page and its files."""

ASSETS_PATH = "/assets/"
"""The folder of the files that never change: their names contain a digest of their content."""
FILES_AT_ROOT = ("favicon.ico", "manifest.webmanifest", "robots.txt")
"""Files whose addresses browsers and robots know, so that their names cannot change."""


def is_of_page(path: str, query: str) -> bool:
    """Whether a request is for the page or one of its files; `/` with a `url` asks for a video."""
    if path in {"", "/"}:
        return not any(parameter.lower().startswith("url=") for parameter in query.split("&"))
    return path.startswith(ASSETS_PATH) or path[1:] in FILES_AT_ROOT
