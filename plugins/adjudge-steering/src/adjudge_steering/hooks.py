"""Reads and changes hidden states through forward hooks on a model's blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from adjudge.errors import UnsupportedError
from adjudge_steering.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@contextmanager
def steered(weights: Weights, additions: Mapping[int, Array]) -> Iterator[None]:
    """While it is open, vectors are added to what blocks give out, at every position: h + alpha v / |v|.

    A vector of zeros adds no hook, so that the model is untouched, bit for bit.

    Args:
        weights: The model.
        additions: By block, what to add: shape (width,).

    Raises:
        UnsupportedError: There is no such block, or a vector has another length than the model's states.
    """
    import torch

    blocks = weights.blocks
    with ExitStack() as stack:
        for layer, vector in additions.items():
            if not vector.any():
                continue
            if not 0 <= layer < len(blocks) or vector.shape != (weights.width,):
                raise UnsupportedError(
                    f"a vector of shape {vector.shape} for block {layer}: {weights.name} has {len(blocks)} blocks of "
                    f"width {weights.width}"
                )
            added = torch.from_numpy(vector.copy()).to(weights.model.device, weights.model.dtype)
            handle = blocks[layer].register_forward_hook(_adding(added))
            stack.callback(handle.remove)
        yield


def _adding(vector: Any) -> Callable[[Any, Any, Any], Any]:
    def hook(_module: Any, _inputs: Any, output: Any) -> Any:
        # Blocks give the states alone, or a tuple that begins with them, as the release of transformers has it.
        return (output[0] + vector, *output[1:]) if isinstance(output, tuple) else output + vector

    return hook


@contextmanager
def watched(weights: Weights, layers: Sequence[int]) -> Iterator[dict[int, Any]]:
    """While it is open, the states that these blocks gave out last, by block: tensors (texts, positions, width).

    Hooks run in the order in which they were added: opened inside `steered`, it sees the steered states.
    """
    seen: dict[int, Any] = {}
    with ExitStack() as stack:
        for layer in layers:
            handle = weights.blocks[layer].register_forward_hook(_keeping(seen, layer))
            stack.callback(handle.remove)
        yield seen


def _keeping(seen: dict[int, Any], layer: int) -> Callable[[Any, Any, Any], None]:
    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        seen[layer] = output[0] if isinstance(output, tuple) else output

    return hook
