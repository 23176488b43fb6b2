"""The HTTP application: it serves a request without knowing about Lambda."""

from transcoder.app.answer import Answer
from transcoder.app.routes import Serve, application

__all__ = ["Answer", "Serve", "application"]
