"""Options that a user gives by name, checked against the type that takes them before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

from pydantic import TypeAdapter, ValidationError

from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.verdict import Sampling


def refuse_unknown(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is not known.

    Raises:
        UnknownNameError: With the nearest.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise UnknownNameError(kind, name, names)


def refuse_options(what: str, build: Callable[..., Any], given: Iterable[str]) -> None:
    """Refuse an option that what makes something does not take; one that takes any checks them itself.

    Args:
        what: What is made, with its name, for the message: `the judge 'rules'`.
        build: Makes it.
        given: Names of the options.

    Raises:
        UnsupportedError: With the nearest option, or all.
    """
    parameters = signature(build).parameters
    if any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values()):
        return
    known = [name for name in parameters if name != "model"]  # of a backend: it stands in its name
    for name in given:
        if name not in parameters:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            told = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known) or 'none'}"
            raise UnsupportedError(f"{what} does not take these options: {name!r}; {told}")


def over_defaults(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a judge: what was asked for, over the defaults of a task.

    A default of `label` is left out: nobody insists on it where a backend cannot serve it.
    """
    open_choice = defaults.get("read_out") == "label" and not {"read_out", "read_out_options"} & given.keys()
    kept = {name: value for name, value in defaults.items() if not (open_choice and name == "read_out")}
    return {**kept, **given}


def validated(what: str, kind: Any, value: Any) -> Any:
    """A value in the type that is wanted.

    Args:
        what: What it is for, for the message.
        kind: A type, dataclass or model; constraints come with `Annotated`.
        value: The value; a mapping for a dataclass or model.

    Raises:
        UnsupportedError: It does not fit; the text names the first option that does not.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UnsupportedError(f"{what}: {name}{'=' if name else ''}{first['input']!r}: {first['msg']}") from error


def sampling_from(base: Sampling, options: Mapping[str, Any]) -> Sampling:
    """Decoding parameters, some of them changed.

    Raises:
        UnknownNameError: There is no such parameter.
        UnsupportedError: One has a value that it cannot take.
    """
    refuse_unknown("decoding parameter", options, Sampling.model_fields)
    changed: Sampling = validated("decoding parameters", Sampling, {**base.model_dump(), **options})
    return changed
