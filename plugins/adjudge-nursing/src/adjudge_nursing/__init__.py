"""Nursing rubrics and tasks for adjudge: values in nursing behaviour, and free-text bedside advice."""
