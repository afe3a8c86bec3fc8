"""Usage of our own engine, written back into the log of the running eval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adjudge.evals.backend import GRADER
from adjudge.verdict import Usage

if TYPE_CHECKING:
    from inspect_ai.model import ModelUsage


def note_usage(model: str, usage: Usage) -> None:
    """Count tokens under the model's name and the role `grader`, in the sample and in the log's totals.

    inspect counts its own calls only and offers no public way to add to them; where its counters are not found, the
    usage still stands in the score's metadata.
    """
    used = as_inspect(usage)
    for name, counters in ((model, _MODELS), (GRADER, _ROLES)):
        for counter in counters:
            _add(name, used, counter)


def as_inspect(usage: Usage) -> ModelUsage:
    """Usage as inspect counts it: cached tokens beside those of the prompt."""
    from inspect_ai.model import ModelUsage

    return ModelUsage(
        input_tokens=usage.prompt_tokens - usage.cached_tokens,
        input_tokens_cache_read=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        total_cost=usage.cost or None,
    )


_MODELS = ("model_usage_context_var", "sample_model_usage_context_var")
_ROLES = ("role_usage_context_var", "sample_role_usage_context_var")


def _add(name: str, usage: ModelUsage, counter: str) -> None:
    from inspect_ai.model import ModelUsage, _model

    variable = getattr(_model, counter, None)
    table = variable.get(None) if variable is not None else None
    if isinstance(table, dict):
        table[name] = table.get(name, ModelUsage()) + usage
