"""CLASH (Lee et al. 2025, arXiv:2504.10823): high-stakes dilemmas through the eyes of a character."""
