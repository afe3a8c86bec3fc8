"""Measures a judge against people, calibrates it, and corrects what it says for its own errors."""
