"""What all values share: frozen models, ids, content hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=80)]
"""A short stable name: letters, digits, `_`, `.` and `-`."""

PackId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*(/[a-z0-9][a-z0-9_\-]*)?$", max_length=120)]
"""A rubric's id: `name` or `domain/name`."""


class Frozen(BaseModel):
    """Base of all values: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, ser_json_inf_nan="constants")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with changes; what was derived from the old fields (cached properties) is left behind."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


def content_hash(value: BaseModel) -> str:
    """SHA-256 over the canonical JSON of a value (keys sorted, UTF-8), as 64 hexadecimal digits.

    Fields at their default are left out, so that a field added to the format later changes no hash.
    """
    plain = value.model_dump(mode="json", exclude_defaults=True)
    canonical = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def first_repeat(values: list[str]) -> str:
    """The first value that stands twice; there must be one."""
    return next(value for index, value in enumerate(values) if value in values[:index])
