"""The caller's side of the function: by the SDK's InvokeWithResponseStream, or by HTTP as its Function URL has it."""

from transcoder.edge.invoke.function_url import FunctionUrl
from transcoder.edge.invoke.lambda_function import LambdaFunction
from transcoder.edge.invoke.receiver import Receiver

__all__ = ["FunctionUrl", "LambdaFunction", "Receiver"]
