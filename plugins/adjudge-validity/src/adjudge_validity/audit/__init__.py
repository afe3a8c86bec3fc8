"""Audits of a judge: the same items once more with one trait changed, and what that does to its verdicts."""
