"""Rows of core groups: of every layer, on sheets of their own or together."""

from __future__ import annotations

import re
from typing import Any

from fenzhi.catalogs.dialect import token_kind
from fenzhi.catalogs.dip import cells
from fenzhi.catalogs.dip.codes import CellError
from fenzhi.catalogs.dip.comprehensive import ComprehensiveReader
from fenzhi.catalogs.dip.drafts import LABELS, RULE, Draft, text_of
from fenzhi.catalogs.dip.layout import RESISTANT
from fenzhi.catalogs.dip.local import layer_of_role
from fenzhi.catalogs.dip.source import Line
from fenzhi.catalogs.dip.vocabulary import (
    AUX_TITLES,
    AUX_WORDS,
    CLASS_OF,
    KIND_NUMBERS,
    KIND_WORDS,
    LAYER_WORDS,
    NO_OPERATION_WORDS,
    TREATMENT_WORDS,
)
from fenzhi.catalogs.models import COMPREHENSIVE, TREATMENTS
from fenzhi.catalogs.titles import half_width

_BURNT = [f"T2{digit}" for digit in range(6)]


def _first_names(cell: str) -> str:
    """Return the first name of a list of names."""
    names = [part for part in re.split(r"[|;;]", cell) if part]
    return names[0] + ("等" if len(names) > 2 else "" if len(names) == 1 else f"|{names[1]}") if names else ""


class GroupReader(ComprehensiveReader):
    """Reads rows of core groups."""

    def _layer(self, line: Line, seq: str) -> str | None:
        fixed = layer_of_role(line.role, line.local)
        said = [half_width(text_of(line.get(name))).strip() for name in ("layer", "class")]
        if fixed is not None:
            return fixed
        for word in (*said, re.sub(r"[^A-Z].*", "", seq.upper())):
            found = LAYER_WORDS.get(word.upper()) or LAYER_WORDS.get(word)
            if found is not None:
                return found
        known = self.layers
        for word in filter(None, said):
            if word in known:
                return str(word)
            self.fail(line, "layer", "layer" if line.get("layer") else "class", word)
            return None
        return "assisted" if line.role == "assisted" or line.get("aux") else "basic"

    def _id(self, line: Line, layer: str) -> str | None:
        seq = half_width(text_of(line.get("seq"))).strip()
        if self.verbatim:
            return text_of(line.get("seq")) or None
        if re.fullmatch(r"\d+(\.0+)?", seq):
            seq = str(int(float(seq)))
            word = half_width(text_of(line.get("class"))).strip().upper()
            known = re.fullmatch(r"[A-Z]{2}", word) is not None
            seq = f"{word if known else CLASS_OF.get(layer, layer.upper())}-{seq}"
        code = seq or half_width(text_of(line.get("dip_code"))).strip()
        return "".join(code.split()) or None

    def _kind_of_aux(self, line: Line) -> str:
        word = text_of(line.get("aux"))
        return next((kind for start, kind in AUX_WORDS.items() if start in word), line.role)

    def _treatment(self, line: Line, layer: str, aux: str, operations: str | None) -> str | None:
        """Return how a row is entered, by its own word or by what its layer and operations mean."""
        said = text_of(line.get("treatment"))
        if said:
            word = half_width(said)
            words = KIND_WORDS if layer == COMPREHENSIVE else TREATMENT_WORDS
            found = words.get(word) or (word if word in TREATMENTS else None)
            if found is None:
                self.fail(line, "treatment", "treatment", said)
            return found
        if operations is None:
            literal = any(
                "".join(half_width(line.get(name)).split()) in NO_OPERATION_WORDS
                for name in ("main_oprn", "any_oprn")
            )
            if literal:
                return "conservative"
            if layer == "pregroup" or aux == "tumour":
                return "any"
            return (
                self.layout.assisted_without_operation if aux in ("burn", "tuberculosis") else "conservative"
            )
        if (
            layer == "pregroup"
            or line.get("any_oprn")
            or (aux == "tumour" and not line.get("related_oprn").strip())
        ):
            return "any_operation"
        return "operation"

    def _burn(self, line: Line, group: dict[str, Any]) -> None:
        """Make codes of degree and area where the row has none; look whether they agree where it has."""
        degree, area = line.get("burn_degree").strip(), line.get("burn_area").strip()
        tokens = (
            (group["main_diag"] or "").split(self.sign) if group["main_diag"] else _BURNT if degree else []
        )
        if degree and tokens and all(token_kind(token) in ("category", "range") for token in tokens):
            within = [one for one in _BURNT if any(_covers(token, one) for token in tokens)]
            if within:
                found = self.cell(line, "burn_degree", cells.degrees)
                if found:
                    # .1 to .3 are degrees of burns, .5 to .7 those of corrosions.
                    made = [f"{one}.{digit + shift}" for digit in found for shift in (0, 4) for one in within]
                    group["main_diag"] = self.sign.join(made)
        if not area:
            return
        given = group["other_diag"]
        try:
            digits = cells.area_digits(area)
        except CellError as fault:
            if given is None:
                self.report.fault(line.place, fault, line.columns.get("burn_area"), area)
            return
        if given is None:
            if not any(
                token.startswith(("T31", "T32")) for token in (group["main_diag"] or "").split(self.sign)
            ):
                group["other_diag"] = self.sign.join(
                    f"{one}.{digit}" for one in ("T31", "T32") for digit in digits
                )
        else:
            coded = {token[4] for token in given.split(self.sign) if re.fullmatch(r"T3[12]\.\d", token)}
            if coded and coded != {str(digit) for digit in digits}:
                self.fail(line, "area_doubt", "burn_area", text_of(area))

    def _resistant(self, line: Line, group: dict[str, Any]) -> None:
        if self.cell(line, "resistant", cells.flag):
            token = f"@{RESISTANT}"
            group["any_diag"] = f"{group['any_diag']}{self.sign}{token}" if group["any_diag"] else token

    def core(self, line: Line) -> None:
        """Read a row of a core group."""
        seq = half_width(text_of(line.get("seq"))).strip()
        layer = self._layer(line, seq)
        if layer is None:
            return
        if layer == COMPREHENSIVE and line.role == "core":
            self._flat_comprehensive(line)
            return
        aux = self._kind_of_aux(line)
        group: dict[str, Any] = {"layer": layer, "group_id": self._id(line, layer)}
        for name in ("main_diag", "other_diag", "any_diag"):
            group[name] = self.code_cell(line, name, "diagnoses")
        either = "any_oprn" if line.get("any_oprn").strip() else "main_oprn"
        group["main_oprn"] = self.code_cell(line, either, "operations")
        group["related_oprn"] = self.code_cell(line, "related_oprn", "operations")
        group["age_days_max"] = self.cell(line, "age_days", cells.days_max)
        band = self.cell(line, "birth_weight", cells.weight_band) or (None, None)
        group["birth_weight_min_g"], group["birth_weight_max_g"] = band
        if not self.verbatim and (aux == "burn" or line.get("burn_degree") or line.get("burn_area")):
            self._burn(line, group)
        self._resistant(line, group)
        group["treatment"] = self._treatment(line, layer, aux, group["main_oprn"])
        if group["treatment"] not in ("operation", "any_operation"):
            group["main_oprn"] = None if group["treatment"] in ("any", "conservative") else group["main_oprn"]
        group["grassroots"] = bool(self.cell(line, "grassroots", cells.flag))
        self._finish(line, group, layer)

    def _finish(self, line: Line, group: dict[str, Any], layer: str) -> None:
        """Name the group, look whether it can be one, and keep it."""
        if self.report.failed(line.place):
            return
        if group["group_id"] is None:
            self.fail(line, "no_id", "seq")
            return
        conditions = [group[name] for name in RULE if name not in ("layer", "treatment")]
        if not any(part is not None for part in conditions):
            self.fail(line, "no_rule", "main_diag")
            return
        blank = "main_diag" not in line.cells and line.role != "comprehensive"
        if blank and layer != "pregroup" and group["main_diag"] is None and "treatment" not in line.cells:
            self.fail(line, "no_diagnosis", "main_diag")
            return
        group["name"] = text_of(line.get("name")) or self._name(line, group)
        group["note"] = text_of(line.get("note")) or None
        labels = self._labels(line, group)
        if not labels["main_oprn_name"]:
            labels["main_oprn_name"] = text_of(line.get("any_oprn_name"))
        order = self.cell(line, "order", cells.whole)
        self.keep(Draft(group, labels, [line.place], order, dict(line.columns)))

    @staticmethod
    def _labels(line: Line, group: dict[str, Any]) -> dict[str, str]:
        """Return what a row says in words, without what the export would write by itself."""
        labels = {name: text_of(line.get(name)) for name in LABELS}
        if labels["aux"] in AUX_TITLES.values():
            labels["aux"] = ""
        if labels["age_days"] == f"≤{group['age_days_max']}天":
            labels["age_days"] = ""
        if labels["birth_weight"] == cells.say_weight(
            group["birth_weight_min_g"], group["birth_weight_max_g"]
        ):
            labels["birth_weight"] = ""
        return labels

    def _name(self, line: Line, group: dict[str, Any]) -> str:
        parts = [_first_names(text_of(line.get(name))) for name in ("main_diag_name", "other_diag_name")]
        for name in ("burn_degree", "burn_area"):
            word = text_of(line.get(name))
            if word and word not in parts:
                parts.append(word)
        operations = [
            _first_names(text_of(line.get(f"{name}_name")))
            for name in ("main_oprn", "any_oprn", "related_oprn")
        ]
        parts += operations
        if group["treatment"] == "conservative":
            parts.append("保守治疗")
        if group["any_diag"] is not None and line.get("resistant"):
            parts.append("耐药")
        parts += [text_of(line.get(name)) for name in ("age_days", "birth_weight")]
        return ",".join(part for part in parts if part) or str(group["group_id"])

    def _flat_comprehensive(self, line: Line) -> None:
        """Read a comprehensive row that stands among the core rows."""
        group = self.empty(self.code_cell(line, "main_diag", "diagnoses"))
        seq = "".join(half_width(text_of(line.get("seq") or line.get("dip_code"))).split())
        kind = (
            self._treatment(line, COMPREHENSIVE, "", None)
            if line.get("treatment")
            else KIND_NUMBERS.get(seq[-1:])
        )
        if kind is None:
            self.fail(line, "kind", "treatment" if line.get("treatment") else "seq", seq)
        group |= {"group_id": seq or None, "treatment": kind}
        group["grassroots"] = bool(self.cell(line, "grassroots", cells.flag))
        self._finish(line, group, COMPREHENSIVE)


def _covers(token: str, category: str) -> bool:
    if token_kind(token) == "range":
        return token[:3] <= category <= token[4:7]
    return token == category
