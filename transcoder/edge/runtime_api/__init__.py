"""The Lambda Runtime API: get an invocation, stream its response, report its failure.

Source: AWS Lambda developer guide, "Using the Lambda runtime API" and "Building a custom runtime" (response streaming, error trailers).
"""

from transcoder.edge.runtime_api.answer import Answer
from transcoder.edge.runtime_api.api import RuntimeApi
from transcoder.edge.runtime_api.connection import ResponseLostError, RuntimeApiError
from transcoder.edge.runtime_api.invocation import Invocation

__all__ = ["Answer", "Invocation", "ResponseLostError", "RuntimeApi", "RuntimeApiError"]
