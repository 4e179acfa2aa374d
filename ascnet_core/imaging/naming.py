"""What file and folder names say: which scan a file belongs to, its role and its modality."""

import re
from typing import NamedTuple

# fmt: off
_LESION_WORDS = {
    "lesion", "lesions", "tumor", "tumors", "tumour", "tumours", "wmh", "wmhs",
    "lesionmask", "lesionseg", "tumormask", "tumorseg",
}
# Folders called after a disease hold scans of it, files their masks.
_DISEASES = {"tumor", "tumors", "tumour", "tumours", "wmh", "wmhs"}
_MASK_WORDS = _LESION_WORDS | {
    "mask", "masks", "msk", "seg", "segs", "segm", "segmentation", "segmentations",
    "label", "labels",
    "labelmap", "labelmaps", "truth", "gt", "groundtruth", "goldstandard", "consensus", "staple",
    "manual", "manualsegmentation", "annotation", "annotations", "delineation",
}
_REGION_WORDS = {
    "brain", "brains", "brainmask", "liver", "livers", "region", "regions", "roi", "rois",
}
_UNCLEAR_REGIONS = {"region", "regions", "roi", "rois"}
_IMAGE_WORDS = {
    "image", "images", "img", "imgs", "imaging", "scan", "scans", "volume", "volumes", "vol",
}
# Words around a role that say no more than it does.
_MASK_FILLER = {"desc", "wm", "label", "ground", "gold"} | _LESION_WORDS
_IMAGE_FILLER = {
    "pp", "preprocessed", "bet", "stripped", "skullstripped", "n4", "biascorrected", "raw", "orig",
    "reg", "registered", "resampled", "norm", "normalized", "cropped", "final",
    "isovox",
}
# Before and after contrast agent, behind a T1.
_CONTRAST = {"pre": "T1", "post": "T1CE", "gd": "T1CE", "gad": "T1CE", "ce": "T1CE"}
# How a modality was taken; before it at the end of a name.
_PROTOCOL = {"3d", "2d", "ax", "axial", "sag", "sagittal", "cor", "coronal", "tra"}
# What stands before a number or name: mask_1, segmentation-0, img0001.
_LEADING_MASK = {
    "mask", "seg", "segm", "segmentation", "label", "labels", "gt", "groundtruth", "annotation",
}
# Before a modality at the end these still make a mask: 1-LesionSeg-Flair.
_MASK_OF_MODALITY = _LEADING_MASK | {"lesionseg", "lesionmask", "tumorseg", "tumormask"}
_PREDICTION_WORDS = {
    "pred", "preds", "predict", "prediction", "predictions", "predicted", "output", "outputs",
    "auto", "automatic", "automated", "autoseg",
    "autosegmentation", "automask", "infer", "inference", "inferred", "result", "results",
    "labelspr", "predmask", "predseg", "maskpred", "segpred",
    # what programs call their own: LST, SAMSEG ...
    "ples", "bles", "samseg", "synthseg", "totalsegmentator",
}
_MAP_WORDS = {
    **dict.fromkeys(("wild", "fence", "reconstruction", "residual"),
                    "a map that `segment --save-maps` writes"),
    **dict.fromkeys(("prob", "probs", "probability", "probabilities", "probmap", "probseg",
                     "softmax", "logits"), "a map of probabilities"),
}
# What FreeSurfer and FAST call theirs.
_ANATOMY_WORDS = {"aseg", "aparc+aseg", "wmparc", "pve", "pveseg", "mixeltype"}
# Parts of a data set that name no patient: a patient of one is not that of another.
_SPLITS = {
    "tr", "ts", "train", "training", "test", "testing", "val", "valid", "validation",
}
# File word -> modality; the order is the preference for a manifest's main image.
MODALITIES = {
    "flair": "FLAIR", "t2f": "FLAIR", "t2flair": "FLAIR",
    "t2": "T2", "t2w": "T2",
    "ct": "CT",
    "t1": "T1", "t1w": "T1", "t1n": "T1", "mprage": "T1",
    "t1ce": "T1CE", "t1c": "T1CE", "t1gd": "T1CE", "t1post": "T1CE", "t1wks": "T1CE",
    "gado": "T1CE",
    "pd": "PD", "pdw": "PD", "dp": "PD",
    "dwi": "DWI", "adc": "ADC", "swi": "SWI",
}
# fmt: on
_PREFERENCE = tuple(dict.fromkeys(MODALITIES.values()))
_TIME_POINT = re.compile(
    r"^((?:t|tp|ses|sess|session|time|timepoint|visit|v|scan|exam|study|fu|followup)-?\d+"
    r"|baseline|bl|followup|pre|post|preop|postop)$",
    re.IGNORECASE,
)
# Only at the end of a name: M01 alone may be a man.
_MONTH = re.compile(r"^(m\d\d|(month|week|year|day|mo|wk|yr)\d+)$", re.IGNORECASE)
_YEAR = re.compile(r"^(19|20)\d\d$")
_DATE = re.compile(r"^(\d{4}([-_.]?)\d{2}\2\d{2}|\d{2}([-.])\d{2}\3\d{4})([-_ T]\d+.*)?$")
_DATED = re.compile(r"[_\-. ]+\d{4}-\d{2}-\d{2}$")
_WORD = re.compile(r"[^_\-. ]+")
# Published sets whose names tell the patient from the time point.
_PUBLISHED = (
    re.compile(r"^(BraTS-[A-Za-z]+-\d+)-\d{3}$"),
    re.compile(r"^(Brats1[78]_.+)_\d+$"),
    re.compile(r"^((?:training|test)\d{2})_\d{2}$"),
)


class Name(NamedTuple):
    """What a file's name says, from its last words.

    `scan` is what the files of a scan share. The role is "image", "mask", "region", or "" where
    no word says it.
    """

    scan: str
    role: str
    modality: str


class Place(NamedTuple):
    """What a folder's name says of its files: their role or "", and the part of the data set."""

    role: str
    split: str


def place_of(folder: str) -> Place:
    """Read a folder's name: "masks", "imagesTr", "test_images", "labelsVal"."""
    pieces = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", folder)]
    if joined := re.fullmatch(r"(images|labels|masks)(tr|ts)", "".join(pieces)):
        pieces = list(joined.groups())
    words = [word for word in pieces if word not in _SPLITS]
    said = read_name(folder if len(words) == len(pieces) == 1 else "_".join(words))
    known = _MASK_WORDS | _REGION_WORDS | _IMAGE_WORDS
    of_role = not said.scan and not known.isdisjoint(words) and words[0] not in _DISEASES
    return Place(said.role if of_role else "", "".join(w for w in pieces if w in _SPLITS))


def role_of_folder(name: str) -> str:
    """Return what files of a folder are by its name: "image", "mask", "region" or ""."""
    return place_of(name).role


def read_name(stem: str) -> Name:
    """Take a name apart.

    "P18_T1_FLAIR" is the FLAIR of P18_T1: T1 is a time point there. "lesion_roi" is a lesion's
    mask, "brain_mask" a region.
    """
    words = _WORD.findall(stem)
    role, modality, of_lesion, unclear = "", "", False, False
    while words and not modality:
        word = words[-1].lower()
        bare = word.rstrip("0123456789")  # mask1, mask2: two raters
        if not role and _is_rater(words):
            pass
        elif not role and bare in _MASK_WORDS:
            role = "mask"
        elif role in ("", "mask") and word in _REGION_WORDS:
            role, unclear = ("mask", False) if of_lesion else ("region", word in _UNCLEAR_REGIONS)
        elif role and word in _MASK_WORDS | _MASK_FILLER:
            if unclear and bare in _LESION_WORDS:
                role, unclear = "mask", False
        elif not role and word in _CONTRAST and _says_t1(words[:-1]):
            modality = _CONTRAST[word]
            words.pop()
        elif not role and (word in MODALITIES or bare == "flair"):
            modality = MODALITIES.get(word, "FLAIR")
        elif role or word not in _IMAGE_FILLER:
            break
        of_lesion |= bare in _LESION_WORDS
        words.pop()
    while modality and len(words) > 1 and words[-1].lower() in _PROTOCOL:
        words.pop()
    if modality and words and words[-1].lower() in _MASK_OF_MODALITY:
        return Name(_first_words(stem, len(words) - 1), "mask", "")
    if not role and not modality and words and words[-1].lower() in _IMAGE_WORDS:
        role = "image"
        words.pop()
        if words and words[-1].lower() in MODALITIES:
            modality = MODALITIES[words.pop().lower()]
    return Name(_first_words(stem, len(words)), "image" if modality else role, modality)


def _says_t1(words: list[str]) -> bool:
    return bool(words) and MODALITIES.get(words[-1].lower()) == "T1"


def _is_rater(words: list[str]) -> bool:
    """Say whether the last word names who drew the mask before it: mask_2, lesion_byCHB."""
    if len(words) < 2 or words[-2].lower() not in _MASK_WORDS:
        return False
    if len(words) == 2 and words[-2].lower() in _LESION_WORDS:
        return False  # lesion_1 may be an image
    return bool(re.fullmatch(r"\d|by[A-Z]+|rater\d*", words[-1]))


def says_rater(stem: str) -> bool:
    """Say whether a mask is one of several people's by its name: mask2, ManualSegmentation_3."""
    words = _WORD.findall(stem)
    return _is_rater(words) or bool(words and re.fullmatch(r"[a-z]+\d", words[-1].lower()))


def is_consensus(stem: str) -> bool:
    """Say whether a mask is what several people agreed on, by its name."""
    return bool(_words(stem) & {"consensus", "staple"})


def mask_rank(stem: str) -> int:
    """Rank masks of one scan: what several agreed on, lesions by their name, then others."""
    words = {word.rstrip("0123456789") for word in _words(stem)}
    if words & {"consensus", "staple"}:
        return 0
    return 1 if words & (_LESION_WORDS | {"manual", "manualsegmentation", "gt"}) else 2


def is_bare_mask(stem: str) -> bool:
    """Say whether a name says "mask" and not of what: it may be the brain's."""
    return bool(_words(stem) & {"mask", "masks", "msk"}) and mask_rank(stem) == 2


def leading_role(stem: str) -> tuple[str, str]:
    """Return the role that a name's first word says, and the rest: "mask_1", "img0001".

    Both are empty where the first word is no such word or nothing follows it.
    """
    found = re.match(r"^([A-Za-z]+)[_\-. ]*(.+)$", stem)
    if not found:
        return "", ""
    word, rest = found[1].lower(), found[2]
    role = "mask" if word in _LEADING_MASK else "image" if word in _IMAGE_WORDS else ""
    return (role, rest) if role else ("", "")


def leading_modality(stem: str) -> tuple[str, str]:
    """Return the modality that a name's first word says, and the rest: "FLAIR_p1"."""
    found = re.match(r"^([A-Za-z0-9]+)[_\-. ]+(.+)$", stem)
    modality = MODALITIES.get(found[1].lower(), "") if found else ""
    return (modality, found[2]) if found and modality else ("", "")


def inner_mask(stem: str) -> str | None:
    """Return the scan whose mask a name says before its last words: "x_FLAIR_lesions_JB", "x7seg".

    None where no word says that; the file's contents must agree, for "lesion_study_7" is no mask.
    """
    fused = re.fullmatch(r"(.*\d)(seg|mask|label|lesions?)", stem, re.IGNORECASE)
    if fused:
        return fused[1]
    words = _WORD.findall(stem)
    for count in range(len(words) - 1, 0, -1):
        said = read_name(_first_words(stem, count))
        if said.role == "mask":
            return split_modality(said.scan)[0]
    return None


def names_region(stem: str) -> bool:
    """Say whether a name calls itself a mask of a region: "Brain_Mask"."""
    words = _words(stem)
    region = bool(words & (_REGION_WORDS - _UNCLEAR_REGIONS)) and bool(words & {"mask", "masks"})
    return (region or "brainmask" in words) and not words & _LESION_WORDS


def is_unclear_region(stem: str) -> bool:
    """Say whether a name says "roi" or "region" and not of what."""
    words = _words(stem)
    clear = (_REGION_WORDS - _UNCLEAR_REGIONS) | _LESION_WORDS
    return bool(words & _UNCLEAR_REGIONS) and not words & clear


def says_prediction(name: str) -> bool:
    """Say whether a word of a file's or folder's name says that a program drew it."""
    words = _words(name) | {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return bool(words & _PREDICTION_WORDS) or name.lower() in _PREDICTION_WORDS


def map_of(stem: str) -> str:
    """Say what kind of map a name's last word says; empty where none."""
    words = [word for word in _WORD.findall(stem) if not word.isdecimal()]
    if words and words[-1].lower() in _ANATOMY_WORDS:
        return "a map of tissues"
    return _MAP_WORDS.get(words[-1].lower(), "") if len(words) > 1 else ""


def is_time_point(folder: str) -> bool:
    """Say whether a folder is called after a time: "pre", "visit2", "2019-01-02", "2019"."""
    return bool(_TIME_POINT.match(folder) or _DATE.match(folder) or is_year(folder))


def is_year(folder: str) -> bool:
    """Say whether a folder is called after a year, which may be a number of a patient too."""
    return bool(_YEAR.match(folder))


def is_time_without_number(folder: str) -> bool:
    """Say whether a folder is called "pre", "baseline" or after a date, not "visit2"."""
    return bool(_DATE.match(folder)) or (is_time_point(folder) and not folder[-1].isdigit())


def is_split(folder: str) -> bool:
    """Say whether a folder is called after a part of a data set: "train", "Center_01"."""
    place = r"(site|cent(er|re)|hospital|cohort|group|fold|batch|part|dataset|set)[-_ ]?\w*"
    kinds = r"hgg|lgg|normals?|healthy|controls?|patients?|cases?|lesions?|anomalous"
    return folder.lower() in _SPLITS or bool(re.fullmatch(f"{place}|{kinds}", folder.lower()))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def _first_words(stem: str, count: int) -> str:
    """Return the first `count` words of a name with the separators between them."""
    ends = [match.end() for match in _WORD.finditer(stem)]
    return stem[: ends[count - 1]] if count else ""


def split_modality(name: str) -> tuple[str, str]:
    """Take a name apart into what stands before a modality at its end, and that modality or ""."""
    words = _WORD.findall(name)
    modality = MODALITIES.get(words[-1].lower(), "") if words else ""
    return _first_words(name, len(words) - 1) if modality else name, modality


def subject_of(scan: str) -> str:
    """Return the patient of a scan: BIDS' sub-X, or its name without a time point at the end."""
    bids = re.match(r"^(sub-[A-Za-z0-9]+)", scan)
    if bids:
        return bids[1]
    for published in _PUBLISHED:
        if found := published.match(scan):
            return found[1]
    dated = _DATED.sub("", scan)
    if dated and dated != scan:
        return dated
    words = _WORD.findall(scan)
    if len(words) > 1 and (_TIME_POINT.match(words[-1]) or _MONTH.match(words[-1])):
        return _first_words(scan, len(words) - 1)
    return scan


def preference(modality: str) -> int:
    """Rank a modality as a manifest's main image: FLAIR first, unknown ones last."""
    return _PREFERENCE.index(modality) if modality in _PREFERENCE else len(_PREFERENCE)
