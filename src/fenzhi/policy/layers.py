"""The files of a pack, the base first: what each says, on which line, and which of them a value comes from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fenzhi.errors import PolicyError
from fenzhi.policy.fields import Place
from fenzhi.shipped import shipped_dir

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_PATH = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]\]?")
_ENTRY = re.compile(rf"\s*({_PATH})\s*=(.*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'[^']*'")


@dataclass(frozen=True)
class Layer:
    """One file: ``data`` as TOML gives it, ``lines`` from the place of a key to its line (from 1)."""

    path: Path
    data: dict[str, Any]
    lines: dict[Place, int]

    def line_of(self, place: Place) -> int | None:
        """Return the line of a key, or of the nearest table around it; None if nothing of it stands here.

        A table without a header of its own stands where its first key does.
        """
        for end in range(len(place), 0, -1):
            around = [number for key, number in self.lines.items() if key[:end] == place[:end]]
            if around:
                return min(around)
        return None


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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from error
    except OSError as error:
        raise PolicyError(
            f"cannot read the file: {error.strerror}", code="POLICY_MISSING", file=path
        ) from error


def _unreadable(path: Path, error: Exception) -> PolicyError:
    return PolicyError(
        f"this is not readable TOML: {error}",
        code="POLICY_SYNTAX",
        file=path,
        remedy="save the file as UTF-8 and correct the line named",
    )


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, error) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file with exact decimals; a syntax error names file and line."""
    return _parsed(path, _text(path))


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, path))


def _open_brackets(rest: str) -> int:
    """Return how many brackets of a value's line stay open."""
    plain = _STRING.sub("", rest).split("#")[0]
    return sum(plain.count(sign) for sign in "[{") - sum(plain.count(sign) for sign in "]}")


def key_lines(text: str) -> dict[Place, int]:
    """Return the line of every table and key of a TOML text; entries of ``[[lists]]`` count from 0.

    Values over several lines are passed over, keys of inline tables are not found.
    """
    lines: dict[Place, int] = {}
    table: Place = ()
    counts: dict[Place, int] = {}
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        rest = line
        if quote:
            if quote not in rest:
                continue
            rest, quote = rest.split(quote, 1)[1], ""
        elif depth == 0:
            if header := _HEADER.match(line):
                table = _table(header, counts)
                lines.setdefault(table, number)
                continue
            if entry := _ENTRY.match(line):
                lines.setdefault((*table, *_parts(entry[1])), number)
                rest = entry[2]
            else:
                rest = ""
        opened = next((sign for sign in ('"""', "'''") if rest.count(sign) % 2), "")
        if opened:
            quote, rest = opened, rest.split(opened, 1)[0]
        depth += _open_brackets(rest)
    return lines


def _table(header: re.Match[str], counts: dict[Place, int]) -> Place:
    """Return the place of a ``[table]`` or ``[[table]]``; the last entry of a list is the one meant."""
    place: Place = ()
    parts = _parts(header[2])
    for at, part in enumerate(parts):
        place = (*place, part)
        last = at == len(parts) - 1
        if last and header[1] == "[[":
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def read_layers(name: str | Path, near: Path | None = None) -> tuple[Layer, ...]:
    """Read a pack and all it extends, the lowest base first, the pack itself last.

    Of ``[meta]``, the dates of a base and what it extends are not handed on.

    Raises :class:`PolicyError` when a file is missing or no TOML, or packs extend each other in a circle.
    """
    path = find_policy(name, near)
    layers: list[Layer] = []
    while True:
        seen = [layer.path for layer in layers]
        if path.resolve() in {one.resolve() for one in seen}:
            chain = " -> ".join(p.name for p in (*seen, path))
            raise PolicyError(
                f"the packs extend each other in a circle: {chain}",
                code="POLICY_CIRCLE",
                file=seen[-1],
                line=layers[-1].line_of(("meta", "extends")),
                field="meta.extends",
                value=layers[-1].data["meta"]["extends"],
                remedy="let the national base extend nothing",
            )
        text = _text(path)
        layers.append(Layer(path, _parsed(path, text), key_lines(text)))
        meta = layers[-1].data.get("meta", {})
        base = meta.get("extends") if isinstance(meta, dict) else None
        if not isinstance(base, str) or not base:
            return (*(_as_base(layer) for layer in reversed(layers[1:])), layers[0])
        path = _base(base, layers[-1])


def _as_base(layer: Layer) -> Layer:
    """Return a base as others see it: when it holds and what it extends is its own affair."""
    meta = layer.data.get("meta", {})
    if not isinstance(meta, dict):
        return layer
    kept = {key: value for key, value in meta.items() if key not in ("valid_from", "valid_to", "extends")}
    return replace(layer, data={**layer.data, "meta": kept})


def _base(name: str, above: Layer) -> Path:
    try:
        return find_policy(name, above.path.parent)
    except PolicyError as error:
        raise PolicyError(
            error.message,
            code=error.code,
            file=above.path,
            line=above.line_of(("meta", "extends")),
            field="meta.extends",
            value=name,
            remedy=error.remedy,
        ) from error


def merged(layers: Sequence[Layer]) -> dict[str, Any]:
    """Lay the files over each other: tables key by key, lists and values whole."""
    data: dict[str, Any] = {}
    for layer in layers:
        data = overlay(data, layer.data)
    return data


def overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Return one table of TOML data laid over another: tables key by key, lists and values whole."""
    both = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(both.get(key), dict):
            both[key] = overlay(both[key], value)
        else:
            both[key] = value
    return both


def stands(data: Any, place: Place) -> bool:
    """Say whether there is a value at a place of TOML data."""
    for part in place:
        inside = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if part not in inside:
            return False
        data = inside[part]
    return True


def origin(layers: Sequence[Layer], place: Place) -> Layer | None:
    """Return the file that a value of the merged pack comes from; None if no file says it (a default).

    A list is replaced whole, so the file of a value inside one is the file of the list.
    """
    for layer in reversed(layers):
        if stands(layer.data, place):
            return layer
        at = next((n for n, part in enumerate(place) if isinstance(part, int)), None)
        if at is not None and stands(layer.data, place[:at]):
            return None
    return None
