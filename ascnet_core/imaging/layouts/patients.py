"""Whose scan is whose: the patient is the part of the path that differs."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ascnet_core.imaging import naming
from ascnet_core.imaging.layouts.groups import Group

# Folders that say nothing about whose scan it is.
_NEUTRAL = {
    "anat", "nifti", "nii", "data", "dataset", "mri", "mr", "ct", "raw", "orig", "preprocessed",
    "processed", "imaging", "mni", "native", "registered",
}  # fmt: skip
_MOST_SCANS = 6
"""Folders of more scans of different names than this hold several patients, not one."""


@dataclass(frozen=True)
class Case:
    """A scan's place: its folders from the outermost to the patient or scan, and its times."""

    parts: tuple[str, ...]
    times: tuple[str, ...]
    named: bool

    @property
    def leaf(self) -> str:
        """The last part: a scan's name or its folder."""
        return self.parts[-1]

    @property
    def parent(self) -> tuple[str, ...]:
        """All parts but the last."""
        return self.parts[:-1]


def name_patients(folder: Path, groups: Sequence[Group], slices: bool = False) -> list[str]:
    """Set each group's `patient` and `name`; where a name is in several folders, note it there.

    `slices` says that names may be numbers of slices, of which a patient may have many. Returns
    sentences on how patients were told apart where their paths leave it open.
    """
    cases = [_case(folder, group) for group in groups]
    crowded = _crowded(cases)
    cases = [
        Case((*c.parts, *c.times), (), False) if c.parts in crowded and not c.named else c
        for c in cases
    ]
    said: dict[str, str] = {}  # sentence -> the leaf it is about, "" if about all
    owners = _owners(cases, slices, said)
    short = _short(set(owners))
    constant = _constant(cases, owners)
    for group, case, owner in zip(groups, cases, owners, strict=True):
        patient = group.patient or naming.subject_of(_bids(group) or short[owner])
        if case.named and case.parts in constant:
            group.name = "_".join([short[owner], *case.times])
        elif not case.named:
            rest = case.parts[len(owner) :] if case.parts[: len(owner)] == owner else ()
            group.name = "_".join([short[owner], *rest, *case.times])
        else:
            further = [time for time in case.times if time.lower() not in group.name.lower()]
            group.name = "_".join([group.name or short[owner], *further])
        group.patient = patient
        group.notes += [text for text, leaf in said.items() if leaf and leaf == case.leaf]
    if years := [time for case in cases for time in case.times if naming.is_year(time)]:
        _tell(said, f"folders such as {min(years)} are taken as times of one patient")
    _join_longer(groups, said)
    _join_numbered(groups, said)
    return list(said)


def _join_longer(groups: Sequence[Group], said: dict[str, str]) -> None:
    """Give a scan whose name goes on from another's in words that scan's patient: x, x_bias."""
    patients = {(group.place, group.name): group.patient for group in groups}
    for group in groups:
        words = re.split(r"(?=[_. -])", group.name)
        for count in range(1, len(words)):
            start, rest = "".join(words[:count]), "".join(words[count:])
            owner = patients.get((group.place, start), group.patient)
            if owner != group.patient and not any(c.isdigit() for c in rest):
                group.patient = owner
                group.notes.append(f"taken as of the patient of {start}")
                _tell(said, f"names such as {group.name} are taken as of the patient of {start}")
                break


def _join_numbered(groups: Sequence[Group], said: dict[str, str]) -> None:
    """Take P1_01, P1_02 and P2_01 as scans of P1 and P2: their numbers start anew."""
    numbered = {
        group.patient: found
        for group in groups
        if (found := re.fullmatch(r"(.*\d)[_-](\d{1,2})", group.patient))
    }
    numbers: dict[str, set[str]] = defaultdict(set)
    for found in numbered.values():
        numbers[found[1]].add(found[2])
    most = max(map(len, numbers.values()), default=0)
    if len(numbers) < 2 or not 1 < most <= _MOST_SCANS or all(map(naming.is_split, numbers)):
        return
    if not set.intersection(*numbers.values()):
        return
    for group in groups:
        if group.patient in numbered:
            group.patient = numbered[group.patient][1]
    _tell(said, f"names such as {min(numbered)} are taken as scans of one patient, {min(numbers)}")


def _case(folder: Path, group: Group) -> Case:
    name = "" if group.place and group.name == group.place[-1] else group.name
    folders = [part for part in group.place if part.lower() not in _NEUTRAL]
    parts = [*(folders or group.place), *([name] if name else [])]
    times = [part for part in parts if naming.is_time_point(part)]
    core = [part for part in parts if part not in times]
    if not core:
        # "pre" and "post" alone are times of one patient, who is called as the folder is; "scan1"
        # and "scan2" alone are patients.
        if any(naming.is_time_without_number(part) for part in parts):
            core = [folder.absolute().name]
        else:
            core, times = parts[-1:], parts[:-1]
    return Case(tuple(core) or (folder.absolute().name,), tuple(times), bool(name))


def _constant(cases: Sequence[Case], owners: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return the paths whose last part is the same for all patients: P1/head and P2/head."""
    below: dict[int, set[Case]] = defaultdict(set)
    for case, owner in zip(cases, owners, strict=True):
        if owner == case.parent:
            below[len(case.parts)].add(case)
    alike = [
        there
        for there in below.values()
        if len({case.leaf for case in there}) == 1 and len({case.parent for case in there}) > 1
    ]
    return {case.parts for there in alike for case in there}


def _bids(group: Group) -> str:
    return next((part for part in reversed(group.place) if part.startswith("sub-")), "")


def _crowded(cases: Sequence[Case]) -> set[tuple[str, ...]]:
    """Return folders with too many "time points" for one patient: scan1 ... scan20 are patients."""
    times: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for case in cases:
        times[case.parts].add(case.times)
    return {parts for parts, found in times.items() if len(found) > _MOST_SCANS}


def _owners(cases: Sequence[Case], slices: bool, said: dict[str, str]) -> list[tuple[str, ...]]:
    """Return for each case the parts of its path that name the patient."""
    by_depth: dict[int, set[Case]] = defaultdict(set)
    for case in cases:
        by_depth[len(case.parts)].add(Case(case.parts, (), case.named))
    is_folder = {
        depth: depth > 1 and _are_patients(there, slices, said) for depth, there in by_depth.items()
    }
    # P1/P1_FLAIR_1 is a scan of P1 where P1/FLAIR is one.
    patients = {case.parts for case in cases if not case.named}
    repeated = _repeated({case.parts for case in cases if not is_folder[len(case.parts)]})
    owners = []
    for case in cases:
        if is_folder[len(case.parts)]:
            owners.append(case.parent)
        elif case.named and case.parent in patients:
            owners.append(case.parent[-1:])
        elif case.leaf in repeated and (not case.named or _of_splits(repeated[case.leaf])):
            owners.append(case.parts)
        else:
            owners.append((case.leaf,))
    for leaf, parents in repeated.items():
        where = " and ".join("/".join(parent) or "the folder itself" for parent in parents[:3])
        several = any(owner != (leaf,) and owner[-1:] == (leaf,) for owner in owners)
        decided = "different patients" if several else "one patient"
        said[f"{leaf!r} is in {where}; taken as {decided}"] = leaf
    return owners


def _repeated(parts: set[tuple[str, ...]]) -> dict[str, list[tuple[str, ...]]]:
    """Return leaves that occur below several folders, with these."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for one in sorted(parts):
        found[one[-1]].append(one[:-1])
    return {leaf: parents for leaf, parents in found.items() if len(parents) > 1}


def _of_splits(parents: Sequence[tuple[str, ...]]) -> bool:
    return all(parent and naming.is_split(parent[-1]) for parent in parents)


def _are_patients(cases: set[Case], slices: bool, said: dict[str, str]) -> bool:
    """Say whether the folders above the leaves are the patients, by what repeats and differs."""
    parts = {case.parts for case in cases}
    parents = Counter(one[:-1] for one in parts)
    if len(parents) < 2 or all(naming.is_split(parent[-1]) for parent in parents):
        return False
    few = len(parts) / len(parents) <= _MOST_SCANS
    if not (few or slices):
        return False
    repeated = _repeated(parts)
    leaves = {one[-1] for one in parts}
    if sum(one[-1] in repeated for one in parts) >= len(parts) / 2:
        if len(leaves) > 1:
            example = "/".join(min(parents))
            _tell(
                said,
                f"the same names ({', '.join(sorted(leaves)[:3])}) are in several folders; each "
                f"folder, such as {example}, is taken as one patient",
            )
        return True
    if few and sum(_continues(one) for one in parts) >= len(parts) / 2:
        return True
    numbers = all(leaf.replace(".", "").isdecimal() for leaf in leaves)
    digits = all(any(c.isdigit() for c in parent[-1]) for parent in parents)
    if numbers and (slices or digits):
        _tell(
            said,
            f"the names in {'/'.join(min(parents))} and other folders are numbers; each folder is "
            "taken as one patient",
        )
        return True
    if not (few and len(parts) > len(parents)):
        return False
    # P1/ACC7 and P1/ACC9: to take two patients for one costs less than one in two folds.
    folders = digits and not any(case.named for case in cases)
    what = "patient, with several scans" if folders else "group of patients"
    _tell(said, f"folders such as {'/'.join(min(parents))} are each taken as one {what}")
    return folders


def _tell(said: dict[str, str], text: str) -> None:
    """Add a sentence that is about all scans."""
    said[text] = ""


def _continues(parts: tuple[str, ...]) -> bool:
    """Say whether a name goes on from that of its folder: training01/training01_02."""
    parent, leaf = parts[-2], parts[-1]
    rest = leaf[len(parent) :]
    numbered = any(c.isdigit() for c in parent)
    return numbered and leaf.startswith(parent) and bool(rest) and not rest[0].isalnum()


def _short(owners: set[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Name patients by the last part of their path, by more of it where that names several."""
    count = Counter(owner[-1] for owner in owners)
    twice = [owner for owner in owners if count[owner[-1]] > 1]
    common = 0
    while twice and len({owner[: common + 1] for owner in twice}) == 1:
        common += 1
    return {
        owner: owner[-1] if count[owner[-1]] == 1 else "_".join(owner[common:]) for owner in owners
    }
