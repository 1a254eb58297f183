"""The JSON schema of a pack, for editors that know TOML: titles and descriptions in Chinese and English."""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple, get_origin

from pydantic import BaseModel

from fenzhi.policy.fields import tables_in
from fenzhi.policy.models import Policy
from fenzhi.policy.titles import title_of

_MENTION = re.compile(r"``(\w+)``")


def _doc(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a docstring; a point inside a figure ends none."""
    return [part for part in re.split(r"(?<=[.])\s+(?=[A-Z`])", text) if part]


def about(model: type[BaseModel], key: str) -> str:
    """Return what the docstring of a table says of one of its keys, empty if it does not name it."""
    return " ".join(part for part in sentences(_doc(model)) if key in _MENTION.findall(part)).replace(
        "``", "`"
    )


class _Table(NamedTuple):
    """Where a table of a pack stands first, and whether it is one of a list."""

    place: tuple[str, ...]
    listed: bool


def _tables(
    model: type[BaseModel], place: tuple[str, ...], listed: bool, found: dict[type[BaseModel], _Table]
) -> None:
    for key, field in model.model_fields.items():
        for inner in tables_in(field.annotation):
            in_list = listed or get_origin(field.annotation) is tuple
            found.setdefault(inner, _Table((*place, key), in_list))
            _tables(inner, (*place, key), in_list, found)


def _described(schema: dict[str, Any], model: type[BaseModel], table: tuple[str, ...]) -> None:
    text = _doc(model).replace("``", "`")
    schema["description"] = f"{title_of(table, 'zh')}。{text}" if table else text
    for key, entry in schema.get("properties", {}).items():
        place = (*table, key)
        names = list(dict.fromkeys(title_of(place, lang) for lang in ("zh", "en")))
        entry["title"] = " / ".join(names)
        entry["description"] = f"{entry['title']}. {about(model, key)}".strip()
        # TOML knows no null: what has no value is left out.
        kinds = [kind for kind in entry.get("anyOf", ()) if kind != {"type": "null"}]
        if kinds:
            entry["anyOf"] = kinds
        if "default" in entry and entry["default"] is None:
            del entry["default"]


def json_schema() -> dict[str, Any]:
    """Return the schema of a pack.

    A pack may extend another, so no section and no key of a section is required; the tables of lists are
    replaced whole, so theirs are.
    """
    schema = Policy.model_json_schema()
    found: dict[type[BaseModel], _Table] = {}
    _tables(Policy, (), False, found)
    for model, table in found.items():
        entry = schema["$defs"][model.__name__]
        _described(entry, model, table.place)
        if not table.listed:
            entry.pop("required", None)
    _described(schema, Policy, ())
    schema.pop("required", None)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "fenzhi 政策包 / policy pack"
    return schema
