"""The solver `apply_rules` for inspect-ai: rules in the system message, before whatever generates."""

from __future__ import annotations

from inspect_ai.model import ChatMessage, ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from adjudge_metacog.applying import load_guidance, with_rules
from adjudge_metacog.retrieval import Found


@solver
def apply_rules(
    graph: str, rules: int = 5, characters: int = 2000, domain: str = "", *, embeddings: str = "auto"
) -> Solver:
    """Put the active rules that bear on the input into the system message, and name them in the metadata.

    `rules` has their ids, `rules_why` what each has in common with the sample, `rules_by` what found them. Put it
    before the solver that generates. Where no rule bears on the input, the state stays as it is.

    Args:
        graph: File of the rule graph.
        rules: Most rules per sample; with 0 nothing changes.
        characters: Most characters of them together.
        domain: Field of work of every sample; if empty, what its metadata say under `domain`.
        embeddings: One of `adjudge_metacog.embedding.NAMES`: by `auto`, meaning counts where the extra is installed.
    """
    guidance = load_guidance(graph, rules, characters, domain, "the solver 'apply_rules'", embeddings=embeddings)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        found = guidance.find(state.input_text, state.metadata)
        if found:
            state.messages = _guided(state.messages, found)
            state.metadata |= guidance.record(found)
        return state

    return solve


def _guided(messages: list[ChatMessage], found: list[Found]) -> list[ChatMessage]:
    """The messages with the rules at the end of the first system message, or in a new one."""
    for place, message in enumerate(messages):
        if isinstance(message, ChatMessageSystem):
            told = message.model_copy(update={"content": with_rules(message.text, found)})
            return [*messages[:place], told, *messages[place + 1 :]]
    return [ChatMessageSystem(content=with_rules("", found)), *messages]
