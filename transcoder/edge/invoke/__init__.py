"""Invoking the function: with the SDK's InvokeWithResponseStream, or with HTTP by its Function URL."""

from transcoder.edge.invoke.function_url import FunctionUrl
from transcoder.edge.invoke.lambda_function import LambdaFunction
from transcoder.edge.invoke.receiver import Receiver

__all__ = ["FunctionUrl", "LambdaFunction", "Receiver"]
