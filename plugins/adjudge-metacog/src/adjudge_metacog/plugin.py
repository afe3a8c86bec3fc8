"""Registers the rule graph with adjudge."""
