"""The masks of two raters' decisions, made by the study's run."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.names import Tell
from ascnet_core.segmentation.cuts import cut_scan, ready
from ascnet_core.segmentation.levels import Folder, keep, settle_ranges
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies.compare import Masks, pairs
from ascnet_core.studies.decisions import Entry
from ascnet_core.studies.folder import Study, scans_sha256
from ascnet_core.training.checkpoint import load_model
from ascnet_core.training.device import pick_device


def masks_of_both(
    study: Study,
    first: Mapping[str, Entry],
    second: Mapping[str, Entry],
    device: str,
    progress: Tell,
) -> dict[str, Masks]:
    """Make both masks of every subject on which masks can be compared; their counts, by subject.

    `progress` is called with (scans cut, scans in all). Raises a UserError if the run has changed,
    or a scan has changed since the decisions or cannot be read.
    """
    study.run_sha256()
    cohort, groups = study.cohort(), pairs(study.subjects, first, second)
    for subject in (subject for subjects in groups.values() for subject in subjects):
        if scans_sha256(cohort.scans_of(subject)) != first[subject].scan_sha256:
            raise UserError(
                f"The files of {subject} have changed since it was decided; restore them, or "
                "compare by --levels-only."
            )
    where = str(pick_device(device))
    model, settings = load_model(study.run, cycle=study.cycle, device=where)
    network, how = ready(model, where), preparation_of(settings)
    read = {
        (name, kind): [s for s in cohort.scans if kind == "cohort" or s.subject in subjects]
        for (name, kind), subjects in groups.items()
    }
    done, total = 0, sum(map(len, read.values()))
    found: dict[str, Masks] = {}
    for (name, kind), scans in read.items():
        with tempfile.TemporaryDirectory(prefix="ascnet-agree-") as folder:
            kept = []
            for number, scan in enumerate(scans):
                prepared = prepare_scan(scan, how)
                maps = cut_scan(network, prepared, flip=study.flip, names=[name])
                arrays = Folder(Path(folder) / str(number))
                kept.append(keep(prepared, [(name, maps[name])], arrays, kind))
                done += 1
                progress(done, total)
            settle_ranges(kept, kind, lambda scan: scan.subject)
            for one in kept:
                subject = one.scan.subject
                if subject in groups[name, kind]:
                    decisions = first[subject].decided, second[subject].decided
                    found.setdefault(subject, Masks()).add(one, *decisions)
    return found
