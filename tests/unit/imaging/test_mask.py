"""A mask means one thing: two values, labels, soft edges and colours, each with its remark."""

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan, read_manifest, write_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.volume import read_mask, read_mask_and_remarks, read_volume
from tests.helpers import make_nifti

SHAPE = (12, 14, 8)


@pytest.fixture
def like(tmp_path):
    make_nifti(tmp_path / "image.nii", shape=SHAPE, axcodes="LPS")
    return read_volume(tmp_path / "image.nii")


@pytest.fixture
def lesion():
    """Inside, but for a corner of it that reaches the border."""
    mask = np.zeros(SHAPE, bool)
    mask[3:7, 4:9, 0:3] = True
    return mask


def read(tmp_path, like, data, dtype=np.float32, name="mask.nii", **options):
    slope = options.pop("slope", None)
    make_nifti(tmp_path / name, data, dtype=dtype, axcodes="SAR", slope=slope)
    return read_mask_and_remarks(tmp_path / name, like, **options)


@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (None, ""),
        ((1 / 255, 0), ""),
        ((1.0, -1024.0), "holds -1024 and -1023; -1024, the"),
    ],
)
def test_0_and_1_through_any_scale_factors(tmp_path, like, lesion, slope, says):
    factor, shift = slope or (1, 0)
    stored = lesion * factor + shift
    mask, remarks = read(tmp_path, like, stored, np.uint8, slope=slope)
    assert np.array_equal(mask, lesion)
    assert len(remarks) == bool(says)
    assert says in "".join(remarks)


@pytest.mark.parametrize(
    ("background", "foreground", "said"),
    [
        (0, 1, False), (0, 255, False), (0, 1000, False), (0, 0.25, False), (0, 1e-6, False),
        (1, 2, True), (2, 1, True), (-1, 1, True), (1, -1, True), (0, -1, True), (-1024, 0, True),
        (1, 0, True), (255, 0, True), (7, 3, True), (100, 200, True),
    ],
)  # fmt: skip
def test_any_two_values(tmp_path, like, lesion, background, foreground, said):
    mask, remarks = read(tmp_path, like, np.where(lesion, foreground, background))
    assert np.array_equal(mask, lesion)
    assert len(remarks) == said, remarks


def test_a_region_of_0_and_1_may_reach_the_border(tmp_path, like):
    brain = np.ones(SHAPE)
    brain[0, 0] = 0
    mask, remarks = read(tmp_path, like, brain, lesion=False)
    assert np.array_equal(mask, brain > 0)
    assert remarks == ()


def test_a_region_of_any_two_values_may_reach_the_border(tmp_path, like):
    brain = np.zeros(SHAPE, bool)
    brain[:, :, 1:] = True
    for background, foreground in ((-1024, -1023), (1, 2), (0, 1 / 255)):
        mask, _ = read(tmp_path, like, np.where(brain, foreground, background), lesion=False)
        assert np.array_equal(mask, brain)


@pytest.mark.parametrize(
    ("value", "full", "says"),
    [
        (0, False, ""),
        (1, True, "1 everywhere: every voxel"),
        (-1024, False, "taken as empty"),
    ],
)
def test_empty_and_full(tmp_path, like, value, full, says):
    mask, remarks = read(tmp_path, like, np.full(SHAPE, value))
    assert mask.all() == mask.any() == full
    assert says in "".join(remarks)
    assert len(remarks) == bool(says)


def test_several_labels_are_merged_and_named_or_chosen(tmp_path, like, lesion):
    labels = lesion * 1.0
    labels[3, 4, :3], labels[4, 4, 1] = 2, 4
    mask, remarks = read(tmp_path, like, labels)
    assert np.array_equal(mask, lesion)
    assert remarks == (
        "mask.nii holds labels 1 (56 voxels), 2 (3 voxels), 4 (1 voxels); all are taken together.",
    )
    mask, remarks = read(tmp_path, like, labels, labels=(1, 4))
    assert np.array_equal(mask, (labels == 1) | (labels == 4))
    assert remarks == ()
    mask, remarks = read(tmp_path, like, labels, labels=(2, 9))
    assert np.array_equal(mask, labels == 2)
    assert remarks == ("mask.nii has no label 9; it holds 0, 1, 2, 4.",)
    with pytest.raises(UserError, match=r"has no label 3; it holds 0, 1, 2, 4: choose .*--label"):
        read(tmp_path, like, labels, labels=(3,))
    mask, _ = read(tmp_path, like, np.zeros(SHAPE), labels=(3,))
    assert not mask.any()


def test_a_slice_need_not_show_a_label(tmp_path, picture):
    Image.fromarray(SPOT.astype(np.uint8)).save(tmp_path / "m.png")
    mask, remarks = read_mask_and_remarks(tmp_path / "m.png", picture, labels=(2,))
    assert not mask.any()
    assert remarks == ("m.png has no label 2; it holds 0, 1.",)


def test_labels_without_a_0_and_below_it_and_scaled(tmp_path, like, lesion):
    labels = np.where(lesion, 2.0, 1.0)
    labels[4, 5, 1] = 3
    mask, remarks = read(tmp_path, like, labels)
    assert np.array_equal(mask, lesion)
    assert "all but 1, the commonest at its border, are taken together" in remarks[0]
    mask, remarks = read(tmp_path, like, np.where(labels == 3, -1, labels - 1))
    assert np.array_equal(mask, labels == 2)
    assert "those above 0 are taken together" in remarks[0]
    mask, remarks = read(tmp_path, like, (labels - 1) / 255)
    assert np.array_equal(mask, lesion)
    assert "labels 0.00392157 (59 voxels), 0.00784314 (1 voxels)" in remarks[0]


def test_probabilities_are_cut_at_a_half_and_soft_edges_in_the_middle(tmp_path, like, lesion):
    rng = np.random.default_rng(0)
    odds = np.where(lesion, rng.uniform(0.6, 1, SHAPE), rng.uniform(0, 0.4, SHAPE))
    mask, remarks = read(tmp_path, like, odds)
    assert np.array_equal(mask, lesion)
    assert remarks == ("mask.nii holds fractions; those above 0.5 are taken.",)
    soft = np.where(lesion, rng.integers(240, 256, SHAPE), rng.integers(0, 8, SHAPE))
    soft[3, 4:9, 1] = 100
    mask, remarks = read(tmp_path, like, soft, np.uint8)
    assert np.array_equal(mask, soft > 200)
    assert "those above 127.5 are taken" in remarks[0]
    mask, remarks = read(tmp_path, like, lesion * 0.9999999)
    assert np.array_equal(mask, lesion)
    assert remarks == ()


def test_odds_in_bytes_are_no_labels(tmp_path, like, lesion):
    odds = np.zeros(SHAPE)
    odds[lesion] = np.linspace(5, 255, int(lesion.sum())).round()
    with pytest.raises(UserError, match="different values from 0 to 255; save it with 0 and 1"):
        read(tmp_path, like, odds, np.uint8)
    numbered = np.zeros(SHAPE)
    numbered[lesion] = np.arange(lesion.sum()) % 40 + 1
    mask, remarks = read(tmp_path, like, numbered, np.uint8)
    assert np.array_equal(mask, lesion)
    assert "all are taken together" in remarks[0]


def test_an_image_is_no_mask(tmp_path, like):
    grey = np.random.default_rng(0).integers(0, 1000, SHAPE)
    with pytest.raises(UserError, match=r"to be a mask but holds \d+ different values"):
        read(tmp_path, like, grey, np.int16)
    mask, _ = read(tmp_path, like, grey, np.int16, labels=(int(grey[0, 0, 0]),))
    assert mask[0, 0, 0]


def test_a_frame_is_chosen_for_image_and_mask_alike(tmp_path, like, lesion):
    frames = np.stack([~lesion, lesion], -1)
    make_nifti(tmp_path / "m.nii", frames, dtype=np.uint8)
    with pytest.raises(UserError, match="mask of 2 frames; save the frame") as caught:
        read_mask(tmp_path / "m.nii", like)
    assert "--frame" in str(caught.value)
    assert np.array_equal(read_mask(tmp_path / "m.nii", like, frame=1), lesion)
    scan = Scan("a", "a", tmp_path / "image.nii", tmp_path / "m.nii")
    assert np.array_equal(prepare_scan(scan, Preparation(size=16, frame=1)).truth, lesion)


# --- pictures ------------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(np.arange(16 * 20, dtype=np.uint16).reshape(16, 20)).save(tmp_path / "x.png")
    return read_volume(tmp_path / "x.png")


SPOT = np.zeros((16, 20), bool)
SPOT[4:8, 5:12] = True


def shown(mask):
    """As the picture is stored: rows from anterior down, columns from the right."""
    return mask[::-1, ::-1, 0].T


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("pair", [((0, 0, 0), (255, 0, 0)), ((255, 255, 255), (0, 128, 0))])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_two_colours(tmp_path, picture, mode, pair, suffix):
    background, colour = pair
    pixels = np.where(SPOT[..., None], np.uint8(colour), np.uint8(background))
    Image.fromarray(pixels).convert(mode).save(tmp_path / f"m{suffix}")
    mask, remarks = read_mask_and_remarks(tmp_path / f"m{suffix}", picture)
    assert np.array_equal(shown(mask), SPOT)
    assert "is in colour" in remarks[0]


def test_several_colours_are_numbered(tmp_path, picture):
    pixels = np.zeros((16, 20, 3), np.uint8)
    pixels[SPOT], pixels[5, 6] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "m.png")
    mask, remarks = read_mask_and_remarks(tmp_path / "m.png", picture)
    assert np.array_equal(shown(mask), SPOT)
    assert "1 is #0000ff (1 voxels), 2 is #ff0000 (27 voxels); all are taken" in remarks[0]
    mask = read_mask(tmp_path / "m.png", picture, labels=(1,))
    assert np.argwhere(shown(mask)).tolist() == [[5, 6]]
    noise = np.random.default_rng(0).integers(0, 255, (16, 20, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "m.png")
    with pytest.raises(UserError, match="colours; save it in black and white") as caught:
        read_mask(tmp_path / "m.png", picture)
    assert "--channel" not in str(caught.value)


def test_a_volume_in_colour(tmp_path, like, lesion):
    rgb = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"][lesion] = 200
    nib.save(nib.Nifti1Image(rgb, like.affine), tmp_path / "m.nii")
    mask, remarks = read_mask_and_remarks(tmp_path / "m.nii", like)
    assert np.array_equal(mask, lesion)
    assert remarks == ("m.nii is in colour: background is #000000, 1 is #c80000 (60 voxels).",)


def test_a_region_of_two_labels_is_both(tmp_path, like, lesion):
    labels = lesion * 1.0
    labels[4] *= 2
    mask, remarks = read(tmp_path, like, labels, lesion=False)
    assert np.array_equal(mask, lesion)
    assert "all are taken together" in remarks[0]


def test_a_shape_that_is_only_in_the_transparency(tmp_path, picture):
    pixels = np.zeros((16, 20, 4), np.uint8)
    pixels[SPOT, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "m.png")
    assert np.array_equal(shown(read_mask(tmp_path / "m.png", picture)), SPOT)


@pytest.mark.parametrize(
    ("background", "foreground", "said"),
    [(0, 255, 0), (0, 1, 0), (0, 90, 0), (255, 0, 1), (1, 0, 1), (1, 2, 1), (200, 255, 1)],
)
def test_two_greys(tmp_path, picture, background, foreground, said):
    pixels = np.where(SPOT, foreground, background).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "m.png")
    mask, remarks = read_mask_and_remarks(tmp_path / "m.png", picture)
    assert np.array_equal(shown(mask), SPOT)
    assert len(remarks) == said, remarks


def test_greys_that_may_be_labels_are_said(tmp_path, picture):
    pixels = np.where(SPOT, 255, 0).astype(np.uint8)
    pixels[5] = np.where(SPOT[5], 85, 0)
    Image.fromarray(pixels).save(tmp_path / "m.png")
    mask, remarks = read_mask_and_remarks(tmp_path / "m.png", picture)
    assert mask.sum() == 21
    assert remarks == ("m.png holds 3 grey values (0, 85, 255); those above 127 are taken.",)
    assert read_mask(tmp_path / "m.png", picture, labels=(85,)).sum() == 7


def test_an_inverted_jpeg(tmp_path, picture):
    Image.fromarray(np.where(SPOT, 0, 255).astype(np.uint8)).save(tmp_path / "m.jpg", quality=95)
    mask, remarks = read_mask_and_remarks(tmp_path / "m.jpg", picture)
    assert np.array_equal(shown(mask), SPOT)
    assert "inverted" in remarks[0]


# --- choosing labels -----------------------------------------------------------------------------


def test_a_jpeg_of_0_and_1_is_said_to_be_empty(tmp_path, picture):
    for white, says in ((1, "holds nothing above 127; it is taken as empty"), (0, "")):
        Image.fromarray(np.uint8(SPOT) * np.uint8(white)).save(tmp_path / "m.jpg", quality=95)
        mask, remarks = read_mask_and_remarks(tmp_path / "m.jpg", picture)
        assert not mask.any()
        assert len(remarks) == bool(says)
        assert says in "".join(remarks)


@pytest.mark.parametrize("shift", [0, -1024])
def test_a_lesion_at_the_border_of_a_crop_is_not_turned(tmp_path, like, shift):
    """It reaches the border on three sides, and 0 is the commoner value overall."""
    lesion = np.zeros(SHAPE)
    lesion[:2, :, :] = 1
    mask, _ = read(tmp_path, like, lesion + shift)
    assert np.array_equal(mask, lesion > 0)


def test_a_lesion_that_fills_much_of_a_crop_is_not_turned_without_a_word(tmp_path, like):
    lesion = np.zeros(SHAPE)
    lesion[:-1] = 1
    mask, remarks = read(tmp_path, like, lesion)
    assert np.array_equal(mask, lesion > 0)
    assert remarks == ()
    lesion = np.ones(SHAPE)
    lesion[3, 4, 1] = 0
    mask, remarks = read(tmp_path, like, lesion)
    assert np.array_equal(mask, lesion == 0)
    assert "is inverted: what fills its border is taken as background" in remarks[0]


def test_labels_of_the_manifest_and_of_the_preparation(tmp_path, lesion):
    labels = lesion * 1.0
    labels[3, 4, 1] = 2
    make_nifti(tmp_path / "a.nii", shape=SHAPE)
    make_nifti(tmp_path / "m.nii", labels, dtype=np.uint8)
    row = {"subject": "a", "image": tmp_path / "a.nii", "mask": tmp_path / "m.nii", "label": (2, 1)}
    write_manifest(tmp_path / "x.csv", [row])
    assert (tmp_path / "x.csv").read_text().splitlines()[1] == "a,a.nii,m.nii,2;1"
    (tmp_path / "x.csv").write_text("subject,image,mask,label\na,a.nii,m.nii,2\n")
    scan = read_manifest(tmp_path / "x.csv").scans[0]
    assert scan.label == (2,)
    assert prepare_scan(scan, Preparation(size=16)).truth.sum() == 1
    made = prepare_scan(scan, Preparation(size=16, label=(1, 2)))
    assert np.array_equal(made.truth, lesion)
    (tmp_path / "x.csv").write_text("subject,image,mask,label\na,a.nii,m.nii,one\n")
    with pytest.raises(UserError, match="row 2: label 'one' is no number; write one"):
        read_manifest(tmp_path / "x.csv")


def test_remarks_of_masks_reach_the_prepared_scan(tmp_path, lesion):
    make_nifti(tmp_path / "a.nii", shape=SHAPE)
    make_nifti(tmp_path / "m.nii", lesion + 1.0)
    make_nifti(tmp_path / "r.nii", np.ones(SHAPE))
    made = prepare_scan(
        Scan("a", "a", tmp_path / "a.nii", tmp_path / "m.nii", tmp_path / "r.nii"),
        Preparation(size=16),
    )
    assert made.remarks[1:] == (
        "r.nii holds 1 everywhere: every voxel is in it.",
        "m.nii holds 1 and 2; 1, the commoner at its border, is taken as background.",
    )
