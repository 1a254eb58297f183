"""``catalog.toml``, the first file of every catalogue: read, validated, written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from fenzhi.errors import CatalogError

TOML = "catalog.toml"
_Model = TypeVar("_Model", bound=BaseModel)


def read_sections(path: Path) -> dict[str, Any]:
    """Read ``catalog.toml``; :class:`CatalogError` if it cannot be read or is no TOML in UTF-8."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CatalogError(
            f"cannot read the file: {error.strerror}",
            code="CATALOG_MISSING",
            file=path,
            remedy="give the folder of a catalogue",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"this is not readable TOML: {error}",
            code="CATALOG_SYNTAX",
            file=path,
            remedy="save the file as UTF-8 and correct the line named",
        ) from error


def require_sections(data: Mapping[str, Any], known: tuple[str, ...], path: Path, remedy: str) -> None:
    """Raise :class:`CatalogError` for the first key of ``data`` that is none of the ``known`` sections."""
    for key, value in data.items():
        if key not in known or not isinstance(value, dict):
            raise CatalogError(
                "this key is unknown", code="CATALOG_UNKNOWN_KEY", file=path, field=key, remedy=remedy
            )


def read_scheme(path: Path) -> object:
    """Return the scheme that ``catalog.toml`` names, ``dip`` if it names none."""
    section = read_sections(path).get("catalog")
    return section.get("scheme", "dip") if isinstance(section, dict) else "dip"


def make_meta(model: type[_Model], data: Mapping[str, Any], path: Path | None, remedy: str) -> _Model:
    """Return ``data`` as a model; the first thing that does not fit is a :class:`CatalogError`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        unknown = first["type"] == "extra_forbidden"
        raise CatalogError(
            "this key is unknown" if unknown else first["msg"].removeprefix("Value error, "),
            code="CATALOG_UNKNOWN_KEY" if unknown else "CATALOG_META",
            file=path,
            field=".".join(["catalog", *(str(part) for part in first["loc"])]),
            value=None if isinstance(first["input"], dict) else first["input"],
            remedy=remedy,
        ) from error


def _toml(value: object) -> str:
    if isinstance(value, str):
        # A JSON string is a TOML string, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return str(value)


def render_section(name: str, values: Mapping[str, object]) -> list[str]:
    """Return a section of ``catalog.toml`` as lines; keys without a value (None) are left out."""
    return [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None)]
