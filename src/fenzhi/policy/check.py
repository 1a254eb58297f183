"""Look at packs before anything runs: all errors at once, and what is allowed but hardly meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fenzhi.errors import PolicyError
from fenzhi.policy.base import Section
from fenzhi.policy.errors import errors_of
from fenzhi.policy.fields import Place, dotted, model_at
from fenzhi.policy.layers import Layer, merged, origin, read_layers
from fenzhi.policy.models import Policy
from fenzhi.policy.validity import scheme_errors, validity_errors


@dataclass(frozen=True)
class Finding:
    """What was found: ``error`` keeps a pack from being used, ``warning`` and ``note`` do not."""

    severity: Literal["error", "warning", "note"]
    error: PolicyError

    def text(self) -> str:
        """Return severity, code, what is wrong, where, and what to do."""
        return f"{self.severity}: {self.error.text()}"


class Idle(NamedTuple):
    """A key that nothing reads while another key has one of some values."""

    key: str
    where: str
    values: tuple[str, ...]


IDLE = (
    Idle("ungrouped.factor", "ungrouped.rule", ("none",)),
    Idle("weights.benchmark_group", "weights.method", ("mean_cost", "standard_amount", "given")),
    Idle("weights.standard_yuan", "weights.method", ("mean_cost", "benchmark", "given")),
    Idle("weights.trim.low", "weights.trim.method", ("none", "mean_sd")),
    Idle("weights.trim.high", "weights.trim.method", ("none", "mean_sd")),
    Idle("weights.trim.k", "weights.trim.method", ("none", "percentile", "factor")),
    Idle("weights.trim.min_cases", "weights.trim.method", ("none",)),
    Idle("weights.threshold.cases", "weights.threshold.mode", ("coverage",)),
    Idle("weights.threshold.coverage", "weights.threshold.mode", ("fixed",)),
    Idle("coefficients.by", "coefficients.form", ("cost", "product")),
    Idle("coefficients.cost_years", "coefficients.form", ("class", "basic_bonus", "product", "group")),
    Idle("coefficients.min_cases", "coefficients.form", ("class", "basic_bonus", "product")),
    Idle("coefficients.items", "coefficients.form", ("class", "cost", "group")),
    Idle("coefficients.levels", "coefficients.form", ("class", "cost", "basic_bonus", "group")),
    Idle("coefficients.level_order", "coefficients.form", ("class", "cost", "basic_bonus", "product")),
    Idle("stability.factor", "stability.rule", ("normal",)),
    Idle("point_value.opening_low", "point_value.opening", ("mean", "favourable", "favourable_2d")),
    Idle("point_value.opening_high", "point_value.opening", ("mean", "favourable", "favourable_2d")),
    Idle("point_value.period_split", "point_value.period", ("year",)),
    Idle("point_value.elastic.base", "point_value.elastic.form", ("severe", "rigid_cost")),
    Idle("point_value.elastic.base_share", "point_value.elastic.form", ("severe", "rigid_cost")),
    Idle("point_value.elastic.severe_from", "point_value.elastic.form", ("base_volume", "rigid_cost")),
    Idle("point_value.elastic.severe_groups", "point_value.elastic.form", ("base_volume", "rigid_cost")),
    Idle("point_value.elastic.fees", "point_value.elastic.form", ("base_volume", "severe")),
)
# Keys that only the grouping and building of DIP catalogues reads.
DIP_ONLY = (
    "grouping",
    "weights.threshold",
    "weights.related_cost_share",
    "weights.drop_small_comprehensive",
)
OWN = ("id", "title", "title_en", "version")


def _place(key: str) -> Place:
    return tuple(key.split("."))


def _value(policy: Policy, place: Place) -> Any:
    found: Any = policy
    for part in place:
        found = None if found is None else getattr(found, str(part), None)
    return found


def _about(
    layer: Layer, place: Place, message: str, code: str, remedy: str, value: Any = None
) -> PolicyError:
    return PolicyError(
        message,
        code=code,
        file=layer.path,
        line=layer.line_of(place),
        field=dotted(place),
        value=value,
        remedy=remedy,
    )


def _unused(policy: Policy, layers: Sequence[Layer]) -> Iterator[Finding]:
    """Give the keys that nothing reads, unless a base says them and the pack has turned them off."""
    for idle in IDLE:
        place, where = _place(idle.key), _place(idle.where)
        layer, ruling = origin(layers, place), origin(layers, where)
        value = _value(policy, where)
        if layer is None or value not in idle.values:
            continue
        if ruling is not None and layers.index(layer) < layers.index(ruling):
            continue
        message = f"nothing reads this key while {idle.where} is {value}"
        remedy = f"take it away, or change {idle.where}"
        yield Finding("warning", _about(layer, place, message, "POLICY_UNUSED", remedy))
    for key in DIP_ONLY if policy.meta.scheme == "drg" else ():
        layer = origin(layers, _place(key))
        if layer is not None:
            message = "this is not used: only DIP catalogues are grouped and built by it"
            yield Finding(
                "warning",
                _about(layer, _place(key), message, "POLICY_UNUSED", "take it away from a pack for DRG"),
            )


def _sources(layers: Sequence[Layer]) -> Iterator[Finding]:
    """Give the sections that say figures without a source of their own."""
    for at, layer in enumerate(layers):
        for name, section in layer.data.items():
            model = model_at(Policy, (name,))
            if model is None or not issubclass(model, Section) or not isinstance(section, dict):
                continue
            if section.get("cite"):
                continue
            below = any(one.data.get(name, {}).get("cite") for one in layers[:at])
            message = (
                "the section changes figures, but its source is still that of the pack below"
                if below
                else "the section does not say where its figures come from"
            )
            remedy = "write cite (document, article) and confidence into the section"
            severity: Literal["warning", "note"] = "warning" if below else "note"
            yield Finding(severity, _about(layer, (name,), message, "POLICY_CITE", remedy))


def _inherited(policy: Policy, layers: Sequence[Layer]) -> Iterator[Finding]:
    """Give what only the pack itself should say, but has from its base."""
    top = layers[-1]
    for key in OWN:
        layer = origin(layers, ("meta", key))
        if layer is None or layer is top or (key == "title_en" and not policy.meta.title_en):
            continue
        message = f"{key} comes from {layer.path.name}"
        remedy = "write the pack's own"
        error = _about(top, ("meta",), message, "POLICY_INHERITED", remedy, _value(policy, ("meta", key)))
        yield Finding("warning", error)


def check_layers(layers: Sequence[Layer]) -> tuple[list[Finding], Policy | None]:
    """Return all findings about a pack, and the pack if it can be used."""
    errors = [Finding("error", error) for error in errors_of(layers)]
    if errors:
        return errors, None
    policy = Policy.model_validate(merged(layers))
    found = [
        *_inherited(policy, layers),
        *_unused(policy, layers),
        *_sources(layers),
    ]
    return found, policy


def check_pack(name: str | Path, near: Path | None = None) -> tuple[list[Finding], Policy | None]:
    """Return all findings about a pack given by path or shipped id, and the pack if it can be used.

    Also what keeps the files from being read at all (no such pack, no TOML, a circle) is a finding.
    """
    try:
        layers = read_layers(name, near)
    except PolicyError as error:
        return [Finding("error", error)], None
    return check_layers(layers)


def check_together(packs: Sequence[Policy]) -> list[Finding]:
    """Return what keeps packs from following each other in one region: gaps, overlaps, two schemes."""
    errors = validity_errors(packs) if packs else []
    return [Finding("error", error) for error in (*errors, *scheme_errors(packs))]
