"""Judges: strategies over a backend."""
