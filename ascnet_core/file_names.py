"""File names made from names that people gave: safe on every system, and no two alike."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from ascnet_core.files import BYTE

_LONGEST = 160
"""Bytes of a name in UTF-8; endings such as `_reconstruction.nii.gz` and temporary names follow.
Most file systems take 255."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)", re.IGNORECASE)
"""What Windows takes for a device, whatever follows the dot."""


def file_name(name: str) -> str:
    """Return a name as (the first part of) a file's: letters, digits, `_.+-`; the rest is `_`.

    It is never hidden, never a device's on Windows, and at most 160 bytes long.
    """
    safe = re.sub(rf"{BYTE}|[^\w.+-]", "_", unicodedata.normalize("NFC", name))
    if not safe or safe.startswith(".") or _RESERVED.match(safe):
        safe = f"_{safe[1:] if safe.startswith('.') else safe}"
    if len(safe.encode()) > _LONGEST:
        safe = f"{safe.encode()[: _LONGEST - 9].decode(errors='ignore')}-{_digest(name, 8)}"
    return safe


def file_names(names: Sequence[str]) -> dict[str, str]:
    """Return a file name for each of several names, all different on every file system.

    Those that would be alike (`P:1` and `P?1`, or `A` and `a`) get some letters of a hash behind,
    which depend on the name alone; one that needed no change keeps its name if it is the only one.
    """
    found = {name: file_name(name) for name in names}
    for length in (6, 64):
        alike = defaultdict(list)
        for name, safe in found.items():
            alike[_folded(safe)].append(name)
        for several in alike.values():
            plain = [name for name in several if found[name] == name]
            kept = plain if len(plain) == 1 else []
            for name in several if len(several) > 1 else ():
                if name not in kept:
                    found[name] = f"{file_name(name)}-{_digest(name, length)}"
    return found


def same_file_name(names: Sequence[str]) -> tuple[str, str] | None:
    """Return two names that are one file where upper and lower case are not told apart."""
    seen: dict[str, str] = {}
    for name in names:
        folded = _folded(name)
        if folded in seen:
            return seen[folded], name
        seen[folded] = name
    return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _digest(name: str, length: int) -> str:
    return hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:length]
