"""Writing without accidents: aside first, then renamed; readable by the owner only; neutral cells."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fenzhi.errors import OutputError

OWNER_FILE = 0o600
OWNER_DIR = 0o700


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a leading ``= + - @`` gets an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place when the block ends well.

    An existing file is not overwritten unless ``replace``. After an error nothing remains.
    """
    if path.exists() and not replace:
        raise OutputError(
            "the file exists already", code="OUTPUT_EXISTS", file=path, remedy="give another name or remove it first"
        )
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
