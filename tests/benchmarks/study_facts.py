"""How fast a study of hundreds is asked what is known of it, beside nothing else.

    python -m tests.benchmarks.study_facts [--subjects 500]

Makes a study whose files are tiny and whose counts are made up, and measures, in milliseconds of
processor and clock: all facts, all warnings, the proposals for one subject with 100 decided. The
first line of each is what a server needs after its start, the second what every rerun costs.
"""

import argparse
import csv
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ascnet_core import places


def _measure(what: str, work: Callable[[], object]) -> None:
    for when in ("first", "again"):
        cpu, clock = time.process_time(), time.perf_counter()
        work()
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
        print(f"{what}, {when}: {1000 * clock:.0f} ms (processor {1000 * cpu:.0f} ms)")


def _make(folder: Path, subjects: int) -> Path:
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["subject", "image", "mask", "region"])
        for number in range(subjects):
            files = [f"{number}-{what}.nii.gz" for what in ("image", "mask", "region")]
            for file in files:
                (folder / file).write_text(file)
            rows.writerow([f"S{number:03}", *files])
    return folder / "manifest.csv"


def main() -> None:
    """Make the study, measure, print."""
    from ascnet_core.studies.counts import keys, store
    from ascnet_core.studies.counts.store import Known
    from ascnet_core.studies.decisions import Decision, record
    from ascnet_core.studies.facts import INPUT, asked_of, known_facts
    from ascnet_core.studies.folder import new_study
    from ascnet_core.studies.proposals import ground_of, proposals_for
    from ascnet_core.studies.warnings import warnings_in
    from tests.unit.studies.made_facts import VOXEL_ML, facts_of, subject

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=500)
    count = parser.parse_args().subjects
    with tempfile.TemporaryDirectory() as temporary:
        os.environ[places.OWN_FOLDER] = f"{temporary}/cache"
        manifest = _make(Path(temporary) / "data", count)
        study = new_study(f"{temporary}/study", manifest, "demo-flair", ["anna"])
        asked = asked_of(study)
        found = keys.keys_of(asked.run_sha256, asked.flip, asked.scans, read=True)
        for number, key in enumerate(found.values()):
            assert key is not None
            (one,) = facts_of("", subject(number)).scans
            tables = {(asked.map, 0.0, 1.0): one.table, (INPUT, 0.0, 1.0): one.plain}
            store.write(key.text, Known(VOXEL_ML, {asked.map: (0, 1), INPUT: (0, 1)}, tables))
        for name in study.subjects[:100]:
            record(study, Decision("anna", name, asked.map, "bright", "raw", "", 205))
        keys.forget()
        _measure(f"facts of {count}", lambda: known_facts(study))
        known = known_facts(study)
        _measure(f"warnings of {count}", lambda: warnings_in(study, "anna", known))
        name = study.subjects[-1]
        _measure("proposals", lambda: proposals_for(study, name, "anna", ground_of(study, known)))


if __name__ == "__main__":
    main()
