"""Who judges inside an eval: the model bound to the role `grader`, through inspect or through our own engine."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from adjudge.api import build_judge, installed
from adjudge.assembly import NoBackend
from adjudge.discovery import is_present
from adjudge.errors import BackendError, InputError, UnsupportedError
from adjudge.evals.backend import GRADER, InspectBackend
from adjudge.evals.settings import Asked
from adjudge.interfaces import Backend, Item
from adjudge.judges.members import check_judge, fitted
from adjudge.plugins import lookup
from adjudge.submission import Submission

if TYPE_CHECKING:
    from inspect_ai.model import Model

UNBOUND = (
    "no judging model: bind one with --model-role grader=PROVIDER/MODEL, or name a backend of adjudge with"
    " -T backend=NAME:MODEL (-S for inspect score)"
)
COMPATIBLE = "openai-compatible"
_OWN = {"openai": "openai", "anthropic": "anthropic"}
"""Providers of inspect whose service a backend of adjudge asks too."""
_SERVED = ("openai-api", "vllm", "sglang", "ollama", "llama-cpp-python", "openai")
"""Providers that speak chat completions, at an address of one's own."""
_NOBODY = "none/none"
"""How inspect calls the model of `--model none`."""
NO_CANDIDATE = (
    "{name!r} has no output and there is no model to write one; give each row an output, or name the model under test"
    " with --model PROVIDER/MODEL"
)
_SAME = "the judge {judge!r} is the model under test; bind another grader, or allow it with self_grading=true"


@dataclass(frozen=True)
class Chosen:
    """Who judges, and through which engine."""

    backends: Sequence[str | Backend]
    """One; several for a role that is bound to a list, which are a panel."""
    engine: Literal["inspect", "adjudge"]
    """Whose calls they are."""
    models: tuple[str, ...]
    """Names of the models, to tell them from the one under test."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the backend."""


def grader_models(*, self_grading: bool = False) -> list[Model]:
    """The models of the role `grader`; the model under test if that was allowed and the role is not bound.

    Raises:
        BackendError: The role is not bound.
    """
    from inspect_ai.model import get_model, model_roles

    bound = model_roles().get(GRADER)
    if bound is None and self_grading:
        return [get_model()]
    if bound is None:
        raise BackendError(UNBOUND)
    return list(bound) if isinstance(bound, list) else [bound]


def choose(asked: Asked) -> Chosen:
    """Who judges: the backend that was named, or the role's model.

    Raises:
        BackendError: Neither is there.
        UnsupportedError: The engine that was asked for cannot ask this model.
    """
    if asked.asks_nobody:
        return Chosen((NoBackend(),), "adjudge", ())
    if asked.backend is not None:
        model = asked.backend.partition(":")[2] or asked.backend
        engine: Literal["inspect", "adjudge"] = "inspect" if asked.engine == "inspect" else "adjudge"
        return Chosen((asked.backend,), engine, (model,), asked.backend_options)
    models = grader_models(self_grading=asked.self_grading)
    names = tuple(map(str, models))
    # A model that is asked through a batch service is inspect's to ask.
    if asked.judge_engine != "inspect" and len(models) == 1 and not models[0].config.batch:
        own = _own_backend(models[0], wanted=asked.judge_engine == "adjudge")
        if own is not None:
            return Chosen((own[0],), "adjudge", names, {**own[1], **asked.backend_options})
    if asked.judge_engine == "adjudge":
        raise UnsupportedError(f"judge_engine=adjudge cannot ask {', '.join(names)}; name it with backend=NAME:MODEL")
    return Chosen([InspectBackend(model, cache=asked.cache) for model in models], "inspect", names)


def _own_backend(model: Model, *, wanted: bool) -> tuple[str, dict[str, Any]] | None:
    """The backend of adjudge that asks the same model, with its options; None if it is better left to inspect."""
    provider, _, name = str(model).partition("/")
    url = model.api.base_url
    if provider in _SERVED and url and (is_at_home(url) or (wanted and provider not in _OWN)) and _has(COMPATIBLE):
        options = {"base_url": url, "key_env": _key_variable(model)}
        return f"{COMPATIBLE}:{model.api.service_model_name()}", options
    if wanted and provider in _OWN and _has(_OWN[provider]):
        return f"{_OWN[provider]}:{name}", {}
    return None


def _has(backend: str) -> bool:
    spec = installed().backends.get(backend)
    return spec is not None and all(map(is_present, spec.requires))


def _key_variable(model: Model) -> str:
    """Name of the environment variable that holds the key; empty if none is set."""
    names = getattr(model.api, "api_key_vars", None) or ()
    return next((name for name in names if os.environ.get(name)), "")


def is_at_home(url: str) -> bool:
    """Whether an address is on this machine or in a private network."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".local", ".internal")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback


def refuse_now(asked: Asked, *, answers: bool) -> None:
    """Refuse while tasks are made what `require_grader` would refuse once they run: one line and no log.

    inspect sets model and roles before it makes tasks; a task that is made by hand is looked at when it runs.

    Args:
        asked: Arguments of the scorer.
        answers: Whether the model under test writes what is judged.

    Raises:
        BackendError: The role is not bound.
        UnsupportedError: The model under test would judge itself, or the judge wants what the model does not offer.
    """
    under_test = _under_test()
    if under_test is None or asked.backend is not None or asked.asks_nobody:
        return
    chosen = choose(asked)
    if answers and not asked.self_grading:
        refuse_self(chosen.models, str(under_test))
    if chosen.engine == "inspect":
        _refuse_unfit(asked, chosen.backends[0])


def _under_test() -> Model | None:
    """The model of the eval that makes its tasks now; None for a task made by hand, which may be for another one."""
    from inspect_ai.model._model import active_model

    # After an eval its model is still the active one, and only this tells that it is over.
    running = getattr(import_module("inspect_ai._eval.eval"), "_eval_async_running", True)
    return active_model() if running else None


def refuse_unanswered(items: Sequence[Item]) -> None:
    """Refuse while a task is made that somebody must answer it where `--model none` leaves nobody.

    Args:
        items: What is to be judged.

    Raises:
        InputError: A submission has no output, and the model under test is none.
    """
    under_test = _under_test()
    lacking = next((item.id for item in items if isinstance(item, Submission) and not item.output), None)
    if lacking is not None and under_test is not None and str(under_test) == _NOBODY:
        raise InputError(NO_CANDIDATE.format(name=lacking))


def _refuse_unfit(asked: Asked, backend: str | Backend) -> None:
    """Refuse a judge that wants what the model does not offer; one made of judges is looked at when it is seated."""
    plugins, name = installed(), asked.judge_for(None)
    if isinstance(backend, str) or lookup(plugins, plugins.judges, "judge", name).members:
        return
    judge = fitted(build_judge(plugins, name, asked.options()), backend.capabilities)
    check_judge(judge, asked.shared[0] if asked.shared else None, backend.capabilities)


def refuse_self(models: Sequence[str], candidate: str) -> None:
    """Refuse a model that would grade itself, whatever the address it is reached at.

    Raises:
        UnsupportedError: With what to do instead.
    """
    for judge in models:
        if _tail(judge) == _tail(candidate) != "":
            raise UnsupportedError(_SAME.format(judge=judge))


def _tail(model: str) -> str:
    """A model's name without provider and service."""
    return model.rpartition("/")[2].casefold()
