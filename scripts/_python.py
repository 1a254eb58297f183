"""Stops an old Python with plain words. Any Python 3 can read it; the scripts import it first."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "fenzhi needs Python 3.11 or newer; this is Python %d.%d (%s).\n"  # noqa: UP031
        "  to do: install a newer Python and call the script with it, for example `python3.12 scripts/demo`"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
