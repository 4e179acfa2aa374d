import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.settings.schedule import Compute
from ascnet_core.training import device

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "mps"])
def test_devices_that_are_not_there_are_refused(name):
    with pytest.raises(UserError, match="device"):
        device.pick_device(name)


def test_the_cpu_is_always_there():
    assert device.pick_device("cpu") == CPU
    assert device.pick_device("auto").type in ("cpu", "cuda")


@pytest.mark.parametrize(("asked", "expected"), [("off", torch.float32), ("on", torch.bfloat16)])
def test_autocast_as_asked(asked, expected):
    with device.autocast(CPU, Compute(autocast=asked)):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == expected


def test_autocast_auto_follows_the_processor(monkeypatch):
    for capable in (True, False):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda c=capable: {"avx512_bf16": c, "amx_bf16": False}
        )
        assert device.gains_by_bfloat16(CPU) == capable


def test_memory_order():
    assert device.memory_format(CPU, Compute()) == torch.channels_last
    assert device.memory_format(CPU, Compute(channels_last="off")) == torch.contiguous_format


def test_threads_are_as_asked_and_then_as_before():
    before = torch.get_num_threads()
    with device.threads(Compute(threads=1)):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with device.threads(Compute()):
        assert torch.get_num_threads() == before
