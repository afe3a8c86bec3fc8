"""Claims: which process is asking which question, so that several on one ledger ask nothing twice.

A claim is a lock on one byte of an empty file beside the ledger, the byte's place taken from the question's
fingerprint. The system frees it when the process ends, however it ends, and nothing is ever written.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, one process per ledger
    fcntl = None  # type: ignore[assignment] # the name stands for a module elsewhere

SUFFIX = "-claims"
_PLACES = 2**62


class Claims:
    """The claims of one process on one ledger."""

    def __init__(self, ledger: str) -> None:
        """Open the file beside the ledger.

        Raises:
            OSError: It cannot be made.
        """
        self._file: IO[bytes] = Path(ledger + SUFFIX).open("ab")  # noqa: SIM115 - held until close

    def take(self, fingerprint: str) -> bool:
        """Claim a question; False while another process holds it. Claiming one's own again is fine."""
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(fingerprint))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, fingerprint: str) -> None:
        """Give a claim back; also one that is not held."""
        if fcntl is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(fingerprint))

    def close(self) -> None:
        """Give all claims back; may be called twice."""
        self._file.close()


def _place(fingerprint: str) -> int:
    return int(fingerprint[:16], 16) % _PLACES
