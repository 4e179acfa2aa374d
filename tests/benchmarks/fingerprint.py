"""Write `fingerprint.json` of a run: `python -m tests.benchmarks.fingerprint RUN [MANIFEST]`.

Runs write it when they train. For one that was trained before, the scans must be there still: those
of its own manifest, or of MANIFEST if they lie elsewhere. It is refused where their hashes are not
those that the run recorded.
"""

import argparse
from pathlib import Path

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.imaging.signs import signs_of
from ascnet_core.runs.create import learns_from
from ascnet_core.runs.fingerprint import read_fingerprint, write_fingerprint
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.settings.preparation import preparation_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("manifest", nargs="?", type=Path)
    options = parser.parse_args()
    run = Run(resolve_run(options.run))
    cohort = read_manifest(options.manifest) if options.manifest else run.cohort()
    if not learns_from(run.path, cohort):
        raise SystemExit(f"{run.name} was not trained on the files of {cohort.manifest}.")
    how = preparation_of(run.settings())
    write_fingerprint(
        run.path, [(scan, signs_of(prepare_scan(scan, how))) for scan in cohort.scans]
    )
    found = read_fingerprint(run.path)
    print(f"{run.name}: {len(found.voxels)} scans, skull {found.has_skull}, {found.furthest:.3f}")


if __name__ == "__main__":
    main()
