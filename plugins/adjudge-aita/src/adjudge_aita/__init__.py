"""Verdicts and comments on posts that ask who is in the wrong, for adjudge."""
