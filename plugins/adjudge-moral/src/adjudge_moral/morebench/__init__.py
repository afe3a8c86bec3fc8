"""MoReBench (Chiu et al. 2025, arXiv:2510.16380): moral reasoning, scored against signed criteria of experts."""
