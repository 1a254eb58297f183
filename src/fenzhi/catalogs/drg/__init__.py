"""DRG catalogues: tables, rule language, files, checks."""

from fenzhi.catalogs.drg.check import check_drg_catalog, require_sound
from fenzhi.catalogs.drg.load import (
    drg_catalogs_dir,
    load_drg_catalog,
    make_drg_catalog,
    render_drg_catalog,
    save_drg_catalog,
)
from fenzhi.catalogs.drg.models import ADRG_TYPES, QY_RULES, TABLES, DrgCatalog, DrgMeta, Source
from fenzhi.catalogs.drg.rules import Term, chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.drg.summary import Summary, describe
from fenzhi.catalogs.drg.tables import import_tables, read_table_form

__all__ = [
    "ADRG_TYPES",
    "QY_RULES",
    "TABLES",
    "DrgCatalog",
    "DrgMeta",
    "Source",
    "Summary",
    "Term",
    "chapter_list",
    "check_drg_catalog",
    "describe",
    "drg_catalogs_dir",
    "import_tables",
    "load_drg_catalog",
    "make_drg_catalog",
    "parse_condition",
    "parse_drg_rule",
    "parse_entry",
    "read_table_form",
    "render_drg_catalog",
    "require_sound",
    "save_drg_catalog",
]
