"""What the servers that speak the protocol of chat completions do differently, and how one tells which it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adjudge.errors import UnknownNameError

AUTO = "auto"
"""Find out which server it is at the first question."""
Continuation = Literal["forced", "prefill", "none"]
"""How the probability of a label's later tokens is had: the label is forced by a grammar while the server reports what
the model thought of each token (`forced`); the reply is begun for the model (`prefill`); not at all (`none`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One kind of server."""

    name: str
    """Value of the option `server`."""
    top: int = 20
    """Likeliest tokens to ask for; 0 if the server reports none."""
    reports: bool = False
    """Known to report log-probabilities; a server that may or may not is asked one short question first."""
    continuation: Continuation = "none"
    """How later tokens of a label are read."""
    begun: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that make the server go on with a reply that was begun."""
    names: bool = False
    """Reports the probability of tokens that are named (`logprob_token_ids`)."""
    top_k: bool = False
    """Takes `top_k`, which is not part of the protocol."""
    length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Name of the limit on the reply."""
    owners: tuple[str, ...] = ()
    """What the server's list of models names as their owner."""


_CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}
FLAVOURS: Mapping[str, Flavour] = {
    flavour.name: flavour
    for flavour in (
        Flavour(
            name="vllm",
            reports=True,
            continuation="prefill",
            begun=_CONTINUE,
            names=True,
            top_k=True,
            owners=("vllm",),
        ),
        # The last assistant turn is continued without being asked for, but templates differ in what they trim there;
        # the grammar is exact, and the probabilities that are reported with it are those before it.
        Flavour(name="llamacpp", top=100, reports=True, continuation="forced", top_k=True, owners=("llamacpp",)),
        Flavour(
            name="sglang",
            reports=True,
            continuation="prefill",
            begun={"continue_final_message": True},
            top_k=True,
            owners=("sglang",),
        ),
        Flavour(name="ollama", owners=("library",)),
        Flavour(name="lmstudio", top=0, owners=("organization_owner",)),
        Flavour(name="openai"),
    )
}
"""By name. `openai` stands for every server that is not known: the protocol and nothing else."""


def flavour_named(name: str) -> Flavour:
    """The flavour of that name.

    Raises:
        UnknownNameError: There is none.
    """
    if name not in FLAVOURS:
        raise UnknownNameError("server", name, (AUTO, *FLAVOURS))
    return FLAVOURS[name]


def recognised(models: Any, server_header: str) -> Flavour:
    """Which server gave this list of models; `openai` if it cannot be told.

    Args:
        models: The JSON of `GET /models`.
        server_header: The header `Server` that came with it.
    """
    if "llama.cpp" in server_header:
        return FLAVOURS["llamacpp"]
    rows = models.get("data") if isinstance(models, dict) else None
    owners = {row.get("owned_by") for row in rows or () if isinstance(row, dict)}
    return next((one for one in FLAVOURS.values() if owners & {*one.owners}), FLAVOURS["openai"])
