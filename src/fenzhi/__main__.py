"""``python -m fenzhi`` is the command line."""

from fenzhi.cli import main

main()
