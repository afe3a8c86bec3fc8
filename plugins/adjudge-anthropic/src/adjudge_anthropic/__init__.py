"""The backend of adjudge for Anthropic's models."""
