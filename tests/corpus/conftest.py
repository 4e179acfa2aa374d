"""What holds for the whole corpus."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Slices of 16 x 16 gain nothing from a second thread, which waits where others compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
