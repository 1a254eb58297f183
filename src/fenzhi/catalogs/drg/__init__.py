"""DRG catalogues: tables, rule language, files, checks."""
