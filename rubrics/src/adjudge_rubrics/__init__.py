"""General-purpose rubric packs for adjudge."""
