"""The HTTP application: it serves a request without knowing about Lambda."""

from transcoder.app.answer import Answer
from transcoder.app.application import application, import_later_routes
from transcoder.app.serve import Serve

__all__ = ["Answer", "Serve", "application", "import_later_routes"]
