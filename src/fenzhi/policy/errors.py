"""What the models refuse, as errors that name the file of the chain, the line, the key and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fenzhi.errors import PolicyError
from fenzhi.policy.base import Fault, FaultsError
from fenzhi.policy.fields import Place, dotted, keys_at, nearest
from fenzhi.policy.layers import Layer, merged, origin
from fenzhi.policy.models import Policy

PAGE = "see docs/reference/policy.md for the keys and their meaning"
UNKNOWN, MISSING, TOO_SHORT = "extra_forbidden", "missing", "too_short"
Refusal = tuple[str, Place, str, Any]  # kind, place, message, value


def _refusals(data: dict[str, Any]) -> list[Refusal]:
    """Return all that the models refuse, what a validator found at once one by one."""
    try:
        Policy.model_validate(data)
    except ValidationError as error:
        return [refusal for one in error.errors() for refusal in _each(one)]
    return []


def _each(one: ErrorDetails) -> list[Refusal]:
    raised = one.get("ctx", {}).get("error")
    faults = raised.faults if isinstance(raised, FaultsError) else None
    if faults is None:
        faults = (Fault(one["msg"].removeprefix("Value error, ")),)
    value = None if isinstance(one["input"], dict | list | Policy) else one["input"]
    return [(one["type"], (*one["loc"], *fault.at), fault.message, value) for fault in faults]


def _without(data: Any, place: Place) -> Any:
    """Return a copy of TOML data without the key at ``place``."""
    head, *rest = place
    if isinstance(data, list):
        return [_without(one, tuple(rest)) if at == head else one for at, one in enumerate(data)]
    if not isinstance(data, dict):
        return data
    if not rest:
        return {key: value for key, value in data.items() if key != head}
    return {key: _without(value, tuple(rest)) if key == head else value for key, value in data.items()}


def _all_refusals(data: dict[str, Any]) -> list[Refusal]:
    """Return all refusals, also what the models only look at once unknown keys are taken away.

    A misspelt key is missing and unknown at once; the unknown one says more.
    """
    found = _refusals(data)
    unknown = {place for kind, place, _, _ in found if kind == UNKNOWN}
    for place in unknown:
        data = _without(data, place)
    if unknown:
        found += [refusal for refusal in _refusals(data) if refusal not in found]
    tables = {place[:-1] for place in unknown}
    found = [one for one in found if not (one[0] == MISSING and one[1][:-1] in tables)]
    # A list is called too short also if its entries are wrong themselves.
    found = [one for one in found if not (one[0] == TOO_SHORT and _entered(one[1], found))]
    return sorted(found, key=lambda one: one[0] != UNKNOWN)


def _entered(place: Place, refusals: list[Refusal]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for _, other, _, _ in refusals)


def _guilty(layers: Sequence[Layer], refusal: Refusal) -> Layer:
    """Return the file that is wrong: the one that says the value, or the first after which the fault stays."""
    kind, place, _, _ = refusal
    if kind == MISSING:
        place = place[:-1]
    if place and (kind == UNKNOWN or any(isinstance(part, int) for part in place)):
        while place:
            if (layer := origin(layers, place)) is not None:
                return layer
            place = place[:-1]
    at = len(layers)
    while at > 1 and refusal in _refusals(merged(layers[: at - 1])):
        at -= 1
    return layers[at - 1]


def _remedy(refusal: Refusal) -> tuple[str, str]:
    """Return message and remedy."""
    kind, place, message, _ = refusal
    if kind == MISSING:
        return "this key is missing", PAGE
    if kind != UNKNOWN:
        return message, PAGE
    keys = keys_at(Policy, place[:-1])
    near = nearest(str(place[-1]), keys)
    hint = f"; nearest is {near!r}" if near else ""
    return f"this key is unknown{hint}", f"use one of: {', '.join(keys)}" if keys else PAGE


def errors_of(layers: Sequence[Layer]) -> list[PolicyError]:
    """Return every error of a pack, unknown keys first; none if it can be loaded.

    Contradictions between sections show only once each section is right by itself.
    """
    out = []
    for refusal in _all_refusals(merged(layers)):
        kind, place, _, value = refusal
        layer = _guilty(layers, refusal)
        message, remedy = _remedy(refusal)
        out.append(
            PolicyError(
                message,
                code="POLICY_UNKNOWN_KEY" if kind == UNKNOWN else "POLICY_VALUE",
                file=layer.path,
                line=layer.line_of(_known(place)),
                field=dotted(_known(place)) or None,
                value=None if kind == MISSING or isinstance(value, Path) else value,
                remedy=remedy,
            )
        )
    return out


def _known(place: Place) -> Place:
    """Return a place without what pydantic adds to it, such as the name of a variant of a table."""
    kept: Place = ()
    for part in place:
        keys = keys_at(Policy, kept)
        if isinstance(part, int) or not keys or part in keys or part == place[-1]:
            kept = (*kept, part)
    return kept
