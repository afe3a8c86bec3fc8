"""MCTSr-Zero: a tree search over whole sessions that rewards agreement with a rubric (arXiv:2505.23229)."""
