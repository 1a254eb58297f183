"""Read a policy pack from TOML: exact decimals, ``extends`` laid under it, errors that name file and key."""

from __future__ import annotations

import hashlib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fenzhi.errors import PolicyError
from fenzhi.policy.models import Policy
from fenzhi.shipped import shipped_dir


def policies_dir() -> Path:
    """Return the folder of the policy packs that come with fenzhi."""
    return shipped_dir() / "policies"


def find_policy(name: str | Path, near: Path | None = None) -> Path:
    """Return the file of a policy given as path (relative to ``near``) or as the id of a shipped pack."""
    path = Path(name)
    for candidate in ([near / path] if near is not None else []) + [path]:
        if candidate.is_file():
            return candidate
    shipped = policies_dir() / f"{name}.toml"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(p.stem for p in policies_dir().glob("*.toml")))
    raise PolicyError(
        f"there is no policy pack {str(name)!r}",
        code="POLICY_MISSING",
        file=path if path.suffix else None,
        remedy=f"give a TOML file or one of: {known}",
    )


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file with exact decimals; a syntax error names file and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"this is not readable TOML: {error}",
            code="POLICY_SYNTAX",
            file=path,
            remedy="save the file as UTF-8 and correct the line named",
        ) from error
    except OSError as error:
        raise PolicyError(
            f"cannot read the file: {error.strerror}", code="POLICY_MISSING", file=path
        ) from error


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def _merged(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in seen:
        chain = " -> ".join(p.name for p in (*seen, path))
        raise PolicyError(
            f"the packs extend each other in a circle: {chain}",
            code="POLICY_CIRCLE",
            file=path,
            field="meta.extends",
            remedy="let the national base extend nothing",
        )
    data = read_toml(path)
    base = data.get("meta", {}).get("extends")
    if not base:
        return data
    below = _merged(find_policy(base, path.parent), (*seen, path.resolve()))
    return _overlay(below, data)


def load_policy(name: str | Path, near: Path | None = None) -> Policy:
    """Load a pack by path or shipped id.

    Raises :class:`PolicyError` naming file, key, value and remedy when the pack is missing, is not TOML, has
    an unknown key, a value out of range, or extends itself.
    """
    path = find_policy(name, near)
    data = _merged(path, ())
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        raise PolicyError(
            "this key is unknown" if unknown else first["msg"].removeprefix("Value error, "),
            code="POLICY_UNKNOWN_KEY" if unknown else "POLICY_VALUE",
            file=path,
            field=field,
            value=None if isinstance(first["input"], dict) else first["input"],
            remedy="see docs/reference/policy.md for the keys and their meaning",
        ) from error


def policy_hash(policy: Policy) -> str:
    """Return the SHA-256 of the pack's merged content, for the manifest of a run."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
