"""Backends of adjudge for OpenAI and Azure, and for any server that speaks their protocol."""
