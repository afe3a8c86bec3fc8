"""Registers this distribution with adjudge."""
