"""Model families, to keep a judge from judging its own kin."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adjudge.interfaces import Item, Member
from adjudge.submission import Submission

STEMS: Mapping[str, str] = {
    "gpt": "openai", "chatgpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "davinci": "openai",
    "claude": "anthropic", "gemini": "google", "gemma": "google", "palm": "google", "medgemma": "google",
    "llama": "meta", "qwen": "qwen", "qwq": "qwen", "mistral": "mistral", "mixtral": "mistral", "ministral": "mistral",
    "magistral": "mistral", "codestral": "mistral", "deepseek": "deepseek", "phi": "microsoft", "command": "cohere",
    "aya": "cohere", "grok": "xai", "smollm": "smollm", "yi": "yi", "glm": "zhipu", "chatglm": "zhipu",
    "kimi": "moonshot", "nova": "amazon", "nemotron": "nvidia", "internlm": "internlm", "olmo": "ai2", "tulu": "ai2",
    "granite": "ibm", "falcon": "tii", "baichuan": "baichuan", "ernie": "baidu", "hunyuan": "tencent",
    "selene": "meta", "flow-judge": "microsoft", "glider": "microsoft", "prometheus": "mistral",
}  # fmt: skip
"""First letters of a model's name and its family; fine-tuned judges count with what they were tuned from."""

_WORD = re.compile(r"[a-z]+\d?")


def families(model: str) -> frozenset[str]:
    """Families that a model's name tells of: vendor table first, else the first word of the name.

    A distilled model belongs to both: `DeepSeek-R1-Distill-Qwen-7B` to `deepseek` and `qwen`.
    """
    name = model.casefold().replace("\\", "/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    words = re.findall(r"[a-z0-9]+", name)
    known = {family for word in words for stem, family in STEMS.items() if _has_stem(word, stem)}
    known |= {family for stem, family in STEMS.items() if "-" in stem and stem in name}
    first = _WORD.search(name)
    return frozenset(known or ({first[0].rstrip("0123456789")} if first else ()))


def _has_stem(word: str, stem: str) -> bool:
    """Whether a word is a stem, or a stem and a version: `qwen3`, `llama31`, but not `philosophy`."""
    return word.startswith(stem) and not word[len(stem) :].strip("0123456789b")


def families_of(member: Member) -> frozenset[str]:
    """Families of the model that a member asks; empty if its backend does not say."""
    if member.backend is None:
        return frozenset()
    named = member.backend.identity.get("model")
    return families(str(named)) if named else families(member.backend.name)


def candidates(item: Item) -> frozenset[str]:
    """Families of the models that wrote what is judged, from `metadata["model"]`."""
    submissions = (item,) if isinstance(item, Submission) else item.submissions
    named = (submission.metadata.get("model") for submission in submissions)
    return frozenset().union(*(families(name) for name in named if isinstance(name, str)))
