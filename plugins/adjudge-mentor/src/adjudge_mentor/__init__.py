"""Risky requests in education, finance and management for adjudge: queries, rule trees, rubrics and tasks."""
