"""A tiny random model for the tests that need torch; they are skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adjudge_steering.pairs import Pair

if TYPE_CHECKING:
    from adjudge_steering.weights import Weights

HOME = "ADJUDGE_STEERING_ENV"
"""Set by `.ci/steering`: the folder of the environment. Where it is set, nothing may be skipped."""
TEMPLATE = "{% for m in messages %}<|turn|>{{ m.role }}\n{{ m.content }}<|end|>{% endfor %}<|turn|>assistant\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    present = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    absent = pytest.mark.skip(reason="torch is not installed here; .ci/steering has an environment that runs these")
    for item in items:
        if item.get_closest_marker("torch") is None:
            continue
        # torch and transformers warn of their own affairs.
        item.add_marker(pytest.mark.filterwarnings("default"))
        if not present and HOME not in os.environ:
            item.add_marker(absent)


def make_model(folder: Path, seed: int = 0, **config: Any) -> Path:
    """A random model of 4 blocks and width 32 that reads bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    control = ["<|end|>", "<|turn|>"]
    made = Tokenizer(models.BPE({token: n for n, token in enumerate([*control, *letters])}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", bos_token="<|end|>", additional_special_tokens=["<|turn|>"]
    )
    tokenizer.chat_template = TEMPLATE
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    ends = {"eos_token_id": 0, "bos_token_id": 0, "pad_token_id": 0}
    torch.manual_seed(seed)
    whole = {"vocab_size": len(letters) + 2, "max_position_embeddings": 2048, **sizes, **ends, **config}
    model = LlamaForCausalLM(LlamaConfig(**whole))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def teach(folder: Path, pairs: list[Pair], steps: int = 120) -> Path:
    """Train the model on both replies of each pair, so that its states tell the one kind from the other."""
    import torch

    from adjudge_steering.measures import replies
    from adjudge_steering.weights import load_weights

    weights = load_weights(folder, threads=1)
    texts = [torch.tensor([text.tokens]) for side in replies(weights, pairs) for text in side]
    model, optimiser = weights.model.train(), torch.optim.Adam(weights.model.parameters(), lr=0.01)
    torch.manual_seed(0)
    for step in range(steps):
        ids = texts[step % len(texts)]
        loss = model(input_ids=ids, labels=ids).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(make_model(tmp_path_factory.mktemp("model") / "tiny"), [pair(n) for n in range(14)])


@pytest.fixture(scope="session")
def weights(model_folder: Path) -> Weights:
    from adjudge_steering.weights import load_weights

    return load_weights(model_folder, threads=1)


def pair(number: int, rule: str = "warm", **fields: Any) -> Pair:
    given = {"input": f"Question {number}?", "follows": f"Yes, warm {number}.", "breaks": f"no! cold {number}!"}
    return Pair.model_validate({"id": f"{rule}-{number}", "rule": rule, **given, **fields})


def write_pairs(path: Path, *pairs: Pair) -> Path:
    path.write_text("".join(json.dumps(one.model_dump()) + "\n" for one in pairs))
    return path
