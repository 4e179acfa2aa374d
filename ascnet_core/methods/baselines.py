"""The methods that need no training, by name."""

from collections.abc import Sequence

from ascnet_core.errors import UserError
from ascnet_core.methods import equalised_input, input_peaks, input_threshold, multi_otsu_input
from ascnet_core.methods.base import Method

BASELINES: dict[str, Method] = {
    method.name: method
    for method in (
        input_threshold.METHOD,
        equalised_input.METHOD,
        multi_otsu_input.METHOD,
        input_peaks.METHOD,
    )
}


def baselines(names: Sequence[str] | None = None) -> tuple[Method, ...]:
    """Return the baselines of these names, or all of them.

    Raises
    ------
    UserError
        If a name is none of `BASELINES`.
    """
    for name in names or ():
        if name not in BASELINES:
            raise UserError(f"There is no method '{name}'; choose among {', '.join(BASELINES)}.")
    return tuple(BASELINES[name] for name in (BASELINES if names is None else names))
