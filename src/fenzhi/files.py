"""Writing without accidents: aside first, then renamed; readable by the owner only; neutral cells."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fenzhi.errors import OutputError

OWNER_FILE = 0o600
OWNER_DIR = 0o700


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a leading ``= + - @`` gets an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


_ASIDE = re.compile(r"^\..+\.(\d+)-[0-9a-f]{8}\.part$")
_DAY_SECONDS = 24 * 3600


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sweep(folder: Path) -> list[Path]:
    """Remove what killed processes left half-written in ``folder``; return what was removed.

    Something is left over if its process is gone, or (where that cannot be asked) if it is more than a day old.
    """
    removed = []
    for entry in folder.iterdir() if folder.is_dir() else ():
        found = _ASIDE.match(entry.name)
        if not found:
            continue
        # os.kill(pid, 0) asks on POSIX but ends the process on Windows.
        stale = (
            not _is_running(int(found[1]))
            if os.name == "posix"
            else time.time() - entry.stat().st_mtime > _DAY_SECONDS
        )
        if stale:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
            removed.append(entry)
    return removed


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place when the block ends well.

    An existing file is not overwritten unless ``replace``. After an error nothing remains.
    """
    if path.exists() and not replace:
        raise OutputError(
            "the file exists already",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="give another name or remove it first",
        )
    aside = _aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        aside.chmod(OWNER_FILE)
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}",
            code="OUTPUT_WRITE",
            file=path,
            remedy="free some space or choose another folder, then run again",
        ) from error
    finally:
        if aside.exists():
            aside.unlink()


@contextmanager
def new_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it into place when the block ends well.

    An existing folder is never overwritten (an empty one may be used). After an error nothing remains.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(
            "the folder exists already and is not empty",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="give another name or remove it first",
        )
    aside = _aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir(mode=OWNER_DIR)
        yield aside
        for folder, _, names in os.walk(aside):
            Path(folder).chmod(OWNER_DIR)
            for name in names:
                (Path(folder) / name).chmod(OWNER_FILE)
        if path.exists():
            path.rmdir()
        aside.rename(path)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}",
            code="OUTPUT_WRITE",
            file=path,
            remedy="free some space or choose another folder, then run again",
        ) from error
    finally:
        if aside.exists():
            shutil.rmtree(aside, ignore_errors=True)
