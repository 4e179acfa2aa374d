"""How good a run's masks were, cycle by cycle, by true masks, which the method does not have.

Only for looking back at a run whose cohort has masks; the advisor never uses this.
"""

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import quantise
from ascnet_core.settings.preparation import preparation_of


def watched_truth(
    run: Run, watched: NDArray[np.uint8], progress: Tell = tell_nobody
) -> NDArray[np.bool_]:
    """The true masks, bool (W, S, S), of a run's watched slices (W, S, S) uint8, 255 for 1.0.

    They are found again in its cohort by their grey values. `progress` is called with scans read
    and scans in all. Raises UserError if the cohort's files are not there, a slice is not found in
    it, or has no mask.
    """
    how = preparation_of(run.settings())
    found: dict[int, NDArray[np.bool_]] = {}
    scans = run.cohort().scans
    for number, scan in enumerate(scans, 1):
        if len(found) == len(watched):
            break
        prepared = prepare_scan(scan, how)
        slices = quantise(prepared.slices())
        truth = prepared.truth_slices()
        for index, wanted in enumerate(watched):
            if index in found:
                continue
            # up to one level apart: the device that trained may round differently
            apart = np.abs(slices.astype(np.int16) - wanted).max(axis=(1, 2))
            matching = np.flatnonzero(apart <= 1)
            if matching.size:
                if truth is None:
                    raise UserError(
                        f"The watched slice {index + 1} is from {scan.scan}, which has no mask; "
                        "name one in the manifest's column mask to see Dice."
                    )
                found[index] = truth[matching[0]]
        progress(number, len(scans))
    missing = [str(index + 1) for index in range(len(watched)) if index not in found]
    if missing:
        raise UserError(
            f"Watched slices {', '.join(missing)} of run {run.name} are not in its cohort as it "
            "is now; its files have changed since the training."
        )
    return np.stack([found[index] for index in range(len(watched))])
