"""What all tests share: no test measures wall-clock time, so hypothesis does not either."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("adjudge", deadline=None)
settings.load_profile("adjudge")
