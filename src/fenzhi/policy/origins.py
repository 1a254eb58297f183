"""A merged pack with the origin of every value: the file of the chain, its line, and the source of its section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fenzhi.errors import PolicyError
from fenzhi.policy.errors import errors_of
from fenzhi.policy.fields import Place, dotted, leaves, nearest, plain
from fenzhi.policy.layers import Layer, merged, origin, read_layers
from fenzhi.policy.models import Policy
from fenzhi.policy.titles import title_of

SOURCE = ("cite", "confidence")
NONE = (None, ())


@dataclass(frozen=True)
class Value:
    """A value of a section: where it stands, what it is, and the file and line that say it (None: a default)."""

    place: Place
    value: Any
    file: Path | None
    line: int | None

    @property
    def key(self) -> str:
        """The key inside its section, as people count: ``bands.2.upto``."""
        return dotted(self.place[1:])


@dataclass(frozen=True)
class SectionShown:
    """A section with its source; ``values`` without ``cite`` and ``confidence``. ``cite_file``: who says the source."""

    name: str
    cite: str
    confidence: str
    cite_file: Path | None
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Shown:
    """A merged pack. ``chain``: its files, the base first; ``off``: sections that it does not have."""

    policy: Policy
    chain: tuple[Path, ...]
    sections: tuple[SectionShown, ...]
    off: tuple[str, ...]


def _value(layers: Sequence[Layer], place: Place, value: Any) -> Value:
    layer = origin(layers, place)
    if layer is None:
        return Value(place, value, None, None)
    return Value(place, value, layer.path, layer.line_of(place))


def _section(layers: Sequence[Layer], name: str, section: Any) -> SectionShown:
    values = []
    for place, value in leaves(section, (name,)):
        shown = _value(layers, place, value)
        inside = any(isinstance(part, int) for part in place)
        # In lists a key that is neither written nor has a value would only be in the way.
        if dotted(place[1:]) in SOURCE or (inside and value is None and shown.file is None):
            continue
        values.append(shown)
    cite = origin(layers, (name, "cite"))
    confidence = getattr(section, "confidence", None)
    return SectionShown(
        name=name,
        cite=getattr(section, "cite", ""),
        confidence="" if confidence is None else str(confidence),
        cite_file=None if cite is None else cite.path,
        values=tuple(values),
    )


def show_pack(name: str | Path, section: str | None = None, near: Path | None = None) -> Shown:
    """Return a merged pack with the origin of every value; of one section only if ``section`` names it.

    Raises :class:`PolicyError` for a pack that cannot be loaded, POLICY_SECTION for a section there is not.
    """
    layers = read_layers(name, near)
    if errors := errors_of(layers):
        raise errors[0]
    policy = Policy.model_validate(merged(layers))
    names = list(Policy.model_fields)
    if section is not None and section not in names:
        near_one = nearest(section, names)
        raise PolicyError(
            "a pack has no such section" + (f"; nearest is {near_one!r}" if near_one else ""),
            code="POLICY_SECTION",
            value=section,
            remedy=f"use one of: {', '.join(names)}",
        )
    wanted = names if section is None else [section]
    return Shown(
        policy=policy,
        chain=tuple(layer.path for layer in layers),
        sections=tuple(
            _section(layers, one, getattr(policy, one)) for one in wanted if getattr(policy, one) not in NONE
        ),
        off=tuple(one for one in wanted if getattr(policy, one) in NONE),
    )


def shown_json(shown: Shown, lang: str) -> dict[str, Any]:
    """Return a shown pack as plain data; decimals are text, so that nothing is lost."""
    return {
        "id": shown.policy.meta.id,
        "chain": [str(path) for path in shown.chain],
        "off": list(shown.off),
        "sections": {
            part.name: {
                "title": title_of((part.name,), lang),
                "cite": part.cite,
                "confidence": part.confidence,
                "values": {
                    value.key: {
                        "title": title_of(value.place, lang),
                        "value": plain(value.value),
                        "file": None if value.file is None else str(value.file),
                        "line": value.line,
                    }
                    for value in part.values
                },
            }
            for part in shown.sections
        },
    }
