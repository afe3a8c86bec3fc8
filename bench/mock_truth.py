"""What `mock_server.py` answers: apart, so that those who check it need no server's imports."""

from __future__ import annotations

import hashlib

MET, UNMET = "Yes", "No"


def draw(*parts: object) -> float:
    """A number from 0 to 1, fixed by its parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def truth(sample: int, criterion: int) -> str:
    """The word that this judge gives, always."""
    return MET if draw("truth", sample, criterion) < 0.6 else UNMET
