"""Transcripts: chat messages of the usual shapes as values, and long ones in windows. Pure functions."""

from __future__ import annotations

from adjudge.transcript.messages import read_messages
from adjudge.transcript.windows import BYTES_PER_TOKEN, Window, cut, tokens_of

__all__ = ["BYTES_PER_TOKEN", "Window", "cut", "read_messages", "tokens_of"]
