"""All parsers that are fuzzed and whose growth is measured. To add one, put it into the tuple of its module, or a new module here."""

from fuzz import media_parsers, origin_parsers, page_parsers, playlist_parsers, request_parsers

PARSERS = {
    parser.name: parser
    for module in (playlist_parsers, request_parsers, origin_parsers, page_parsers, media_parsers)
    for parser in module.PARSERS
}
