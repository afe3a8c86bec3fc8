"""What inspect-ai finds under the name `adjudge_metacog`."""

from __future__ import annotations

from adjudge_metacog.inspect_solver import apply_rules

__all__ = ["apply_rules"]
