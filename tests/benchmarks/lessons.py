"""Write what the lessons show, `checkpoints/lessons/`: `python -m tests.benchmarks.lessons ...`.

    python -m tests.benchmarks.lessons --patients --reruns RUN RUN --flair MANIFEST \\
        --t2 MANIFEST --lgg MANIFEST MANIFEST

The pages could make all of it, but slowly: a stop must not wait. `--reruns` are further trainings
of `demo-flair` that differ by their seed; the manifests are what shipped runs learnt from, whose
watched slices get their true masks from them. What is not named is left as it is.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.phantom.demo import make_demo
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.metrics.overlap import threshold_table
from ascnet_core.monitoring.truth import watched_truth
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.segmentation.cuts import cut_scan
from ascnet_core.segmentation.histogram import count_levels, quantise
from ascnet_core.segmentation.threshold import apply, choose
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.training.checkpoint import load_model
from pages.parts.lessons.material import FOLDER

RULE = "rightmost-valley"
LESION = 20  # voxels of it that a slice to compare masks on has
SUBJECTS, SEED = 16, 1  # the first half of them are the cohort that the app shows
NETWORKS = (
    ("demo-flair", "flair"),
    ("demo-flair", "t2"),
    ("demo-t2", "t2"),
    ("demo-flair-paper", "flair"),
    ("demo-flair-autoencoder", "flair"),
)


@dataclass(frozen=True)
class Elsewhere(Run):
    """A run whose scans lie elsewhere now than where its own manifest says."""

    manifests: tuple[Path, ...] = ()

    def cohort(self) -> Cohort:
        """The scans of all manifests."""
        scans = [scan for path in self.manifests for scan in read_manifest(path).scans]
        return Cohort(self.name, self.manifests[0], tuple(scans))


def patients(run: str, cohort: Cohort) -> dict[str, NDArray[Any]]:
    """Two slices of each anomalous subject in every map, and the counts of its whole volume.

    The first slice has most lesion; in the second, which has lesion too, the mask of the cohort's
    level and that of the subject's own differ most.
    """
    model, settings = load_model(run)
    how = preparation_of(settings)
    cut = []
    for scan in cohort.scans:
        if scan.group == "anomalous":
            prepared = prepare_scan(scan, how)
            assert prepared.truth is not None
            maps = {name: quantise(made) for name, made in cut_scan(model, prepared).items()}
            cut.append((scan.scan, prepared.truth, prepared.region, maps))
            print(run, scan.scan, flush=True)
    thresholded = [(name, maps[settings.segmentation.map], region) for name, _, region, maps in cut]
    counts = {name: count_levels(levels, region) for name, levels, region in thresholded}
    common = choose(RULE, counts, "bright", "cohort")
    own = choose(RULE, counts, "bright", "subject")
    kept = dict[str, list[Any]]()
    for (name, truth, region, maps), (_, levels, _) in zip(cut, thresholded, strict=True):
        apart = apply(levels, region, common[name]) ^ apply(levels, region, own[name])
        held = truth.sum(axis=(0, 1))
        worth = apart.sum(axis=(0, 1)) * (held >= min(LESION, held.max()))
        chosen = [int(held.argmax()), int(worth.argmax())]
        tables = [threshold_table(made, truth, region) for made in maps.values()]
        row = {
            "names": name,
            "slices": chosen,
            "region": np.moveaxis(region[:, :, chosen], 2, 0),
            "truth": np.moveaxis(truth[:, :, chosen], 2, 0),
            "maps": np.stack([np.moveaxis(made[:, :, chosen], 2, 0) for made in maps.values()], 1),
            "levels": np.stack([table.levels for table in tables]).astype(np.int32),
            "lesion": np.stack([table.lesion for table in tables]).astype(np.int32),
            "outside": tables[0].outside,
            "background": tables[0].background,
        }
        for key, value in row.items():
            kept.setdefault(key, []).append(value)
    arrays = {key: np.array(values) for key, values in kept.items()}
    return arrays | {"map_names": np.array(list(cut[0][3]))}


def watched(runs: Sequence[Run]) -> dict[str, NDArray[Any]]:
    """The watched slices of runs at their end: (runs, slices, S, S) a map, and the counts."""
    ends = [run.load_snapshot(run.snapshots()[-1]) for run in runs]
    for end in ends[1:]:
        if not np.array_equal(end.watched_input, ends[0].watched_input):
            raise SystemExit("These runs watch other slices.")
    arrays = {name: np.stack([end.maps[name] for end in ends]) for name in ends[0].maps}
    return arrays | {
        "input": ends[0].watched_input,
        "counts": np.stack([end.counts for end in ends]).astype(np.int32),
    }


def write(name: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write one file of the material."""
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
    print(f"{name}: {(FOLDER / f'{name}.npz').stat().st_size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", action="store_true")
    parser.add_argument("--reruns", nargs="+", default=[])
    for name in ("--flair", "--t2", "--lgg"):
        parser.add_argument(name, nargs="+", type=Path, default=[])
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    if options.patients:
        with tempfile.TemporaryDirectory() as folder:
            for contrast in dict.fromkeys(contrast for _, contrast in NETWORKS):
                manifest = make_demo(Path(folder) / contrast, contrast, SUBJECTS, seed=SEED)
                for run, on in NETWORKS:
                    if on == contrast:
                        write(f"{run}-{contrast}", patients(run, read_manifest(manifest)))
    if options.reruns:
        write("reruns", watched([Run(resolve_run(run)) for run in ("demo-flair", *options.reruns)]))
    for run, manifests in (("demo-flair", options.flair), ("demo-t2", options.t2),
                           ("lgg-flair", options.lgg)):  # fmt: skip
        if manifests:
            found = Elsewhere(resolve_run(run), tuple(manifests))
            seen = found.load_snapshot(found.snapshots()[-1]).watched_input
            write(f"{run}-truth", {"truth": watched_truth(found, seen)})


if __name__ == "__main__":
    main()
