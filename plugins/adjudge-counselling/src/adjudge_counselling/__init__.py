"""Counselling dialogues for adjudge: rubrics, tasks on public data, a self-reflective tree search, a crisis gate."""
