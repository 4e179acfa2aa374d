"""What pages show when work is refused."""

import pytest
from streamlit.testing.v1 import AppTest


def refused_page(kind):
    import errno

    from ascnet_core.errors import UserError
    from pages.parts.shared import feedback

    errors = {
        "user": UserError("The scan is not there; check the path."),
        "full": OSError(errno.ENOSPC, "No space left on device", "/tmp/mask.nii.gz"),
        "memory": MemoryError(),
        "ours": OSError("a library is missing"),
    }
    with feedback.show_user_errors(stop=False):
        raise errors[kind]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("user", "The scan is not there; check the path."),
        ("full", "/tmp/mask.nii.gz cannot be read or written: the disk is full"),
        ("memory", "Memory does not suffice"),
    ],
)
def test_what_can_be_mended_is_one_sentence(kind, said):
    page = AppTest.from_function(refused_page, args=(kind,)).run()
    assert not page.exception
    assert len(page.error) == 1
    assert said in page.error[0].value


def test_a_fault_of_the_program_stays_one():
    page = AppTest.from_function(refused_page, args=("ours",)).run()
    assert page.exception
    assert not page.error
