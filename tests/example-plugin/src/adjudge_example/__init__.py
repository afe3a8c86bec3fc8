"""A tiny complete plugin of adjudge: a backend, a judge, a pack and a task."""
