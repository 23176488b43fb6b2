"""Requests to Reddit: one module for each step of the search for a post, and what the steps share."""

from transcoder.pipeline.reddit.finder import Reddit

__all__ = ["Reddit"]
