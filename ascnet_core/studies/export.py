"""What leaves a study: its decisions, their history, and a text that explains both."""

from ascnet_core.studies.decisions import COLUMNS, history, holding, plain
from ascnet_core.studies.folder import Study
from ascnet_core.studies.table import THRESHOLDS, to_csv

_README = """\
Decisions of study {name}
{rule}
cohort    {cohort} ({manifest})
run       {run}{cycle}{flip}
made      {made}

thresholds.csv  the decisions that hold, one a subject and rater
history.csv     every decision ever made, oldest first; a row with `undoes` took that number back

rater, subject  who decided, and for whom: for all scans of the subject
scan            the one on the screen, where there was one
map             the map that is thresholded; its levels 0 to 255 stand for `range`: 0 to 1 (raw), or
                the least and largest value of the subject or of the cohort
level, upper    side bright keeps levels at or above `level`, dark those at or below it; with
                `upper` the levels from one to the other are kept on either side
rule, scope     what proposed the level; the level itself where it was set by hand
post            post-processing steps, in order
flag            fine, doubtful, flipped (peaks on the other side), exclude (gets no mask)
rating          of the mask, 1 (bad) to 5
seconds         how long it took; made: when, in UTC
truth_shown, dice_shown   whether they were on the screen
blind           whether masks, Dice and others' levels were hidden until the decision stood
pieces          connected pieces (26 neighbours) dropped, or kept alone, after the steps and in
                order (JSON); each by a voxel of it, x y z from 0 in RAS order, of one scan
scan_sha256, run_sha256, versions   of what the decision was made on

The masks again:  ascnet segment --study {path} --rater RATER -o masks
"""


def tables(study: Study) -> dict[str, str]:
    """The files of an export by name: thresholds.csv, history.csv and README.txt, as text."""
    about = study.about
    title = f"Decisions of study {study.name}"
    more = {
        "name": study.name,
        "rule": "=" * len(title),
        "cycle": f", cycle {about['cycle']}" if about["cycle"] else "",
        "flip": ", averaged with its mirror image" if study.flip else "",
        "path": study.path,
    }
    return {
        THRESHOLDS: to_csv(map(plain, holding(study)), COLUMNS),
        "history.csv": to_csv(map(plain, history(study)), [*COLUMNS, "undoes"]),
        "README.txt": _README.format(**{**about, **more}),
    }
