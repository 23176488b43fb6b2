"""The caller's side of the function: by the SDK's InvokeWithResponseStream, or by HTTP as its Function URL has it."""

from transcoder.edge.invoking.function import Function
from transcoder.edge.invoking.receiver import Receiver
from transcoder.edge.invoking.url import FunctionUrl

__all__ = ["Function", "FunctionUrl", "Receiver"]
