"""From a request to its answer."""

from transcoder.app.routes import Serve, application
from transcoder.app.service import Answer

__all__ = ["Answer", "Serve", "application"]
