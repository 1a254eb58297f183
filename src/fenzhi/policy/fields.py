"""What may stand in a pack, read off the models: keys at a place, the nearest key, values one by one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, get_args

from pydantic import BaseModel

Place = tuple[int | str, ...]


def tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the models inside a type: of ``tuple[Band, ...] | None`` it is ``Band``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from tables_in(inner)


def _variants(model: type[BaseModel], place: Place) -> list[type[BaseModel]]:
    """Return the models that the table at ``place`` may have; the name of a variant in the place chooses it."""
    found = [model]
    for part in (part for part in place if isinstance(part, str)):
        fields = [one.model_fields[part] for one in found if part in one.model_fields]
        inner = [table for field in fields[:1] for table in dict.fromkeys(tables_in(field.annotation))]
        found = inner if fields else [one for one in found if part == variant_of(one)]
    return found


def variant_of(model: type[BaseModel]) -> str | None:
    """Return the word of ``kind`` by which a table of a list is told from others; None if it has no such word."""
    field = model.model_fields.get("kind")
    words = () if field is None else get_args(field.annotation)
    return str(words[0]) if len(words) == 1 else None


def model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Return the model of the table at ``place``, None where no table with fixed keys stands.

    Of a list of several kinds of tables it is the first kind, unless the place names one.
    """
    return next(iter(_variants(model, place)), None)


def keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that the table at ``place`` may have, of any kind that may stand there."""
    return list(
        dict.fromkeys(
            field.alias or name for one in _variants(model, place) for name, field in one.model_fields.items()
        )
    )


def nearest(key: str, keys: list[str]) -> str | None:
    """Return the key that is written most like ``key``, None if none is."""
    found = get_close_matches(key, keys, 1)
    return found[0] if found else None


def dotted(place: Place) -> str:
    """Return a place as people count: ``deviation.bands.2.upto`` is in the second band."""
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Give every single value of a model with its place; lists of tables are entered, other lists are values."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), (*place, name))
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for at, one in enumerate(value):
            yield from leaves(one, (*place, at))
    else:
        yield place, value


def written(value: Any) -> str:
    """Return a value as TOML writes it; ``-`` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum | str):
        return f'"{value}"'
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(one)}" for key, one in value.items()) + "}"
    return str(value)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; decimals and dates become text."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool | int):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
