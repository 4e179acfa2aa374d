"""Acts on a study that the browser tells of, again and again until they are on the disk."""

from collections.abc import Callable, Mapping
from typing import Any

from ascnet_core.files import mendable

Act = Mapping[str, Any]


def kept(keep: Callable[[], object]) -> str:
    """Keep an act; "" where it is on the disk, else one sentence why it is not."""
    try:
        keep()
    except Exception as error:
        if sentence := mendable(error):
            return sentence
        if isinstance(error, KeyError | TypeError | ValueError):
            return f"The page sent what means nothing ({error!r}); load it anew."
        raise
    return ""
