"""Activation steering: a rule followed by a direction in the hidden states of a model with open weights."""
