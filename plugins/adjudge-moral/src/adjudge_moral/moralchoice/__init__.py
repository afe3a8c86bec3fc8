"""MoralChoice (Scherrer et al. 2023, arXiv:2307.14324): a choice between two actions, asked in both orders."""
