"""Rules that a judge learns: a graph with provenance, and a gate that proves a rule before it counts."""
