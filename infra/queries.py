"""The saved queries of CloudWatch Logs Insights, which ask the metrics lines of the log."""

from aws_cdk import aws_logs
from constructs import Construct

from infra.config import Config

QUERIES = {
    "what failed": (
        'filter ispresent(outcome) and outcome != "ok" | stats count() as requests by outcome, status, source_host | sort requests desc'
    ),
    "speed and traffic": (
        'filter outcome = "ok" | stats count() as requests, pct(first_byte_ms, 50), pct(first_byte_ms, 95), max(total_ms), '
        "sum(bytes) / 1048576 as MiB by bin(1h)"
    ),
    "hosts of sources": (
        "filter ispresent(source_host) | stats count() as requests, sum(bytes) / 1048576 as MiB by source_host | sort MiB desc"
    ),
    "Reddit's steps": "filter ispresent(reddit_step) or ispresent(reddit_asked) | stats count() as requests by reddit_step, reddit_asked",
    "the slowest": (
        "filter ispresent(total_ms) | sort total_ms desc | limit 20 "
        "| display @timestamp, total_ms, first_byte_ms, bytes, outcome, source_host, request_id"
    ),
}
"""By name. Each is documented in docs/operating.md, and asks for fields of `transcoder.core.answer.metrics`."""


def add_queries(scope: Construct, config: Config, log: aws_logs.LogGroup) -> None:
    """Save the queries for the function's log, in a folder with the name of the stack."""
    for number, (name, text) in enumerate(QUERIES.items()):
        aws_logs.CfnQueryDefinition(
            scope, f"Query{number}", name=f"{config.full_name}/{name}", query_string=text, log_group_names=[log.log_group_name]
        )
