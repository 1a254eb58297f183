"""Two packs, value by value."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel

from fenzhi.policy.fields import Place, leaves
from fenzhi.policy.models import Policy


class Change(NamedTuple):
    """A value that differs; None if there is none. ``key``: tables of lists go by their name."""

    key: str
    place: Place
    before: Any
    after: Any


def _labels(model: BaseModel, place: Place) -> str:
    """Return a place with the tables of lists by name: ``deviation.bands.low.upto``; without a name by number."""
    out: list[str] = []
    at: Any = model
    for part in place:
        at = at[part] if isinstance(part, int) else getattr(at, part)
        name = getattr(at, "name", getattr(at, "id", None)) if isinstance(part, int) else None
        out.append(str(part) if isinstance(part, str) else str(name or part + 1))
    return ".".join(out)


def _values(policy: Policy) -> dict[str, tuple[Place, Any]]:
    values: dict[str, tuple[Place, Any]] = {}
    for place, value in leaves(policy):
        values.setdefault(_labels(policy, place), (place, value))
    return values


def _said(value: Any) -> Any:
    """Return a value; an empty text or list says nothing."""
    return None if value in ("", (), {}) else value


def diff_packs(before: Policy, after: Policy) -> list[Change]:
    """Return every value that differs between two merged packs, in the order of the sections.

    What one has and the other does not (a section, a band) is named key by key; keys without a value are
    left out.
    """
    old, new = _values(before), _values(after)
    out = []
    for key in dict.fromkeys([*old, *new]):
        place = (new.get(key) or old[key])[0]
        was, now = (_said(values[key][1]) if key in values else None for values in (old, new))
        if was != now:
            out.append(Change(key, place, was, now))
    order = {name: at for at, name in enumerate(Policy.model_fields)}
    return sorted(out, key=lambda change: order[str(change.place[0])])
