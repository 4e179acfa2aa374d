"""A scan goes through the network whole, in any batch size, and comes back on its grid."""

import dataclasses
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.imaging.slices import from_slices
from ascnet_core.network.blocks import Network
from ascnet_core.network.cutting import CuttingModule
from ascnet_core.segmentation.cuts import batch_for, cut_scan, cut_slices, map_names, ready
from ascnet_core.segmentation.histogram import quantise
from ascnet_core.settings.methods.asc_net import AscNet


@pytest.fixture(scope="module")
def model() -> CuttingModule:
    torch.manual_seed(3)
    made = CuttingModule(width=4)
    # running statistics of a few batches, so that batch norm is not the identity
    made.train()
    for _ in range(3):
        made(torch.rand(4, 1, 32, 32))
    return made.eval()


@pytest.fixture(scope="module")
def slices() -> np.ndarray:
    return np.random.default_rng(5).random((7, 48, 48), dtype=np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """An oblong, anisotropic head of which the lowest and highest slices are empty."""
    folder = tmp_path_factory.mktemp("scan")
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (30, 41, 9)), indexing="ij")
    head = (x**2 + y**2 < 0.8) & (np.abs(z) < 0.8)
    data = np.where(head, 100 + 40 * np.sin(5 * x) + 30 * np.cos(4 * y), 0).astype(np.float32)
    affine = np.diag([-1.3, 1.3, 3.0, 1.0])  # stored right to left
    nib.save(nib.Nifti1Image(data, affine), folder / "head.nii.gz")
    scan = Scan(
        subject="s",
        scan="s",
        image=Path(folder / "head.nii.gz"),
        mask=None,
        region=None,
        modality="FLAIR",
        further={},
        group=None,
        fold=None,
        notes="",
    )
    return prepare_scan(scan, Preparation(size=48))


class TestSlices:
    def test_same_as_the_network_called_plainly(
        self, model: CuttingModule, slices: np.ndarray
    ) -> None:
        with torch.no_grad():
            expected = model(torch.from_numpy(slices)[:, None])
        found = cut_slices(model, slices)
        for name, theirs in expected._asdict().items():
            assert found[name].dtype == np.float32
            assert found[name].shape == slices.shape
            np.testing.assert_allclose(found[name], theirs[:, 0], atol=2e-6)

    @pytest.mark.parametrize("batch", [1, 3, 7, 20])
    def test_batches_do_not_matter(
        self, model: CuttingModule, slices: np.ndarray, batch: int
    ) -> None:
        expected = cut_slices(model, slices, batch=2)
        for name, ours in cut_slices(model, slices, batch=batch).items():
            np.testing.assert_allclose(ours, expected[name], atol=2e-6)

    def test_flip_averages_over_the_mirror_image(
        self, model: CuttingModule, slices: np.ndarray
    ) -> None:
        plain = cut_slices(model, slices)
        mirrored = cut_slices(model, slices[:, :, ::-1])
        found = cut_slices(model, slices, flip=True)
        for name in ("fence", "wild", "reconstruction"):
            mean = (plain[name] + mirrored[name][:, :, ::-1]) / 2
            np.testing.assert_allclose(found[name], mean, atol=2e-6)
        difference = np.clip(slices - found["fence"], 0, 1)
        np.testing.assert_allclose(found["residual"], difference, atol=2e-6)

    def test_the_model_is_left_as_it_is(self, slices: np.ndarray) -> None:
        torch.manual_seed(0)
        model = CuttingModule(width=2).train()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        strides = [tensor.stride() for tensor in model.parameters()]
        state = torch.get_rng_state()
        first = cut_slices(model, slices)
        assert model.training
        assert all(parameter.requires_grad for parameter in model.parameters())
        assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
        assert strides == [tensor.stride() for tensor in model.parameters()]
        assert torch.equal(state, torch.get_rng_state())
        # no dropout: twice the same
        assert np.array_equal(first["fence"], cut_slices(model, slices)["fence"])

    def test_no_slices(self, model: CuttingModule) -> None:
        assert cut_slices(model, np.zeros((0, 32, 32), np.float32))["wild"].shape == (0, 32, 32)

    def test_progress_counts_slices(self, model: CuttingModule, slices: np.ndarray) -> None:
        told: list[tuple[int, int]] = []
        cut_slices(model, slices, batch=3, progress=lambda done, total: told.append((done, total)))
        assert told == [(3, 7), (6, 7), (7, 7)]

    def test_bfloat16_is_close(self, model: CuttingModule, slices: np.ndarray) -> None:
        exact = cut_slices(model, slices)
        rough = cut_slices(model, slices, precision="bfloat16")
        assert np.abs(exact["reconstruction"] - rough["reconstruction"]).max() < 0.02
        with pytest.raises(ValueError, match="precision"):
            cut_slices(model, slices, precision="float16")

    @pytest.mark.gpu
    def test_gpu_gives_the_levels_of_the_cpu(
        self, model: CuttingModule, slices: np.ndarray
    ) -> None:
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
        expected = cut_slices(model, slices)
        for name, ours in cut_slices(model, slices, device="cuda").items():
            # TF32 keeps 10 bits of mantissa: half a level of 255
            np.testing.assert_allclose(ours, expected[name], atol=2e-3)


class TestScan:
    def test_maps_lie_on_the_volume(self, model: CuttingModule, prepared: Prepared) -> None:
        maps = cut_scan(model, prepared)
        assert set(maps) == {"input", *(one.name for one in AscNet.maps)}
        for values in maps.values():
            assert values.shape == prepared.volume.data.shape
            assert values.dtype == np.float32
            assert 0 <= values.min() <= values.max() <= 1
            assert not values[~prepared.region].any()
        assert np.array_equal(maps["input"][prepared.region], prepared.scaled[prepared.region])

    def test_each_map_is_that_of_its_slices(self, model: CuttingModule, prepared: Prepared) -> None:
        maps = cut_scan(model, prepared)
        images = prepared.slices()
        cuts = cut_slices(model, images)
        expected = cuts | {"residual": np.clip(images - cuts["fence"], 0, 1)}
        for name, stack in expected.items():
            volume = from_slices(stack, prepared.placement)
            np.testing.assert_allclose(
                maps[name][prepared.region], volume[prepared.region], atol=1e-5
            )

    def test_only_the_maps_asked_for_come_back(
        self, model: CuttingModule, prepared: Prepared
    ) -> None:
        every = cut_scan(model, prepared)
        some = cut_scan(model, prepared, names=["wild"])
        assert list(some) == ["wild"]
        np.testing.assert_array_equal(some["wild"], every["wild"])
        assert list(cut_scan(model, prepared, names=["input"])) == ["input"]

    def test_a_network_that_is_ready_is_not_copied(
        self, model: CuttingModule, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network = ready(model)
        expected = cut_scan(model, prepared)
        monkeypatch.delattr("copy.deepcopy")
        for name, values in cut_scan(network, prepared).items():
            np.testing.assert_array_equal(values, expected[name])
        assert ready(network) is network

    def test_any_network_with_maps_will_do(self, prepared: Prepared) -> None:
        class Halving(Network):
            def maps(self, slices: torch.Tensor) -> dict[str, torch.Tensor]:
                return {"half": slices / 2}

        assert map_names(Halving()) == ("half",)
        maps = cut_scan(Halving(), prepared, flip=True)
        assert list(maps) == ["input", "half"]
        rough = from_slices(prepared.slices() / 2, prepared.placement)
        inside = prepared.region
        np.testing.assert_allclose(maps["half"][inside], rough[inside], atol=1e-6)

    def test_an_empty_region_gives_empty_maps(
        self, model: CuttingModule, prepared: Prepared
    ) -> None:
        empty = dataclasses.replace(prepared, region=np.zeros_like(prepared.region))
        assert not any(values.any() for values in cut_scan(model, empty).values())

    def test_empty_slices_are_not_cut(self, model: CuttingModule, prepared: Prepared) -> None:
        held = int(prepared.region.any(axis=(0, 1)).sum())
        assert held < prepared.region.shape[2]
        totals: set[int] = set()
        cut_scan(model, prepared, progress=lambda done, total: totals.add(total))
        assert totals == {held}

    def test_levels(self, model: CuttingModule, prepared: Prepared) -> None:
        maps = cut_scan(model, prepared)
        for values in maps.values():
            levels = quantise(values)
            assert levels.dtype == np.uint8
            assert np.abs(levels / 255 - values).max() <= 0.5 / 255 + 1e-6


def test_batch_follows_memory() -> None:
    assert batch_for(240) < batch_for(160) < batch_for(96) <= 64
    assert batch_for(1024) == 1
