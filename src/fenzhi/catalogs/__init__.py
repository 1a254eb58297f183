"""Catalogues: cell language, models, files, checks of DIP catalogues; those of DRG are in ``drg``."""

from fenzhi.catalogs.check import check_catalog, require_sound
from fenzhi.catalogs.dialect import (
    Dialect,
    expand_sets,
    parse_cell,
    parse_diagnoses,
    range_limits,
    token_kind,
)
from fenzhi.catalogs.drg import DrgCatalog, DrgMeta
from fenzhi.catalogs.load import (
    catalogs_dir,
    compares_exactly,
    find_catalog,
    load_catalog,
    load_dip_catalog,
    make_catalog,
    save_catalog,
    with_weights,
)
from fenzhi.catalogs.models import CatalogMeta, DipCatalog
from fenzhi.catalogs.rules import Finding, Rule, parse_rules
from fenzhi.catalogs.tcm import TCM, TcmTables, with_tcm, with_tcm_rows

__all__ = [
    "TCM",
    "CatalogMeta",
    "Dialect",
    "DipCatalog",
    "DrgCatalog",
    "DrgMeta",
    "Finding",
    "Rule",
    "TcmTables",
    "catalogs_dir",
    "check_catalog",
    "compares_exactly",
    "expand_sets",
    "find_catalog",
    "load_catalog",
    "load_dip_catalog",
    "make_catalog",
    "parse_cell",
    "parse_diagnoses",
    "parse_rules",
    "range_limits",
    "require_sound",
    "save_catalog",
    "token_kind",
    "with_tcm",
    "with_tcm_rows",
    "with_weights",
]
