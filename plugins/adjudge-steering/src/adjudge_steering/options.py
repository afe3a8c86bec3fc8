"""What can be set on the backend `steering`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from adjudge.options import refuse_unknown, validated
from adjudge.values import Frozen


def _listed(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


class Options(Frozen):
    """Settings of the backend."""

    vectors: Path | None = None
    """Folder that `adjudge steer fit` wrote; without it the model answers as it is."""
    rules: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Rules to steer by, as a list or separated by commas; all in the folder if empty."""
    strength: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = 1.0
    """Over the chosen strength: 0 leaves the model untouched, below 0 pushes the other way."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Precision of the weights."""
    device: str = "cpu"
    """Where the model runs."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads that compute; torch's own choice if None."""
    context: Annotated[int, Field(ge=16)] = 4096
    """Tokens of prompt and reply together; at most what the model was trained for."""

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Options:
        """Check options as they come from a command line or a file.

        Raises:
            UnknownNameError: There is no such option.
            UnsupportedError: One has a value that it cannot take.
        """
        refuse_unknown("option of the backend steering", given, cls.model_fields)
        found: Options = validated("the backend steering", cls, given)
        return found
