"""Moral graph elicitation: people are interviewed into values cards and vote on which value is wiser.

Source: Klingefjord, Lowe and Edelman 2024 (arXiv:2404.10636).
"""
