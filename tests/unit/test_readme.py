"""The README lists what the registries hold; `python -m tests.unit.test_readme` writes the list."""

import re
from pathlib import Path

from ascnet_core.segmentation.rules import RULES
from ascnet_core.segmentation.steps import STEPS
from ascnet_core.settings.methods import METHODS

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"(?<=<!-- made from the registries -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def block() -> str:
    """Rules, maps and steps as the README has them."""
    rules, steps = (
        ", ".join(f"`{entry.form}`" for entry in entries.values()) for entries in (RULES, STEPS)
    )
    maps = "; ".join(
        f"of {method.title} " + ", ".join(f"`{one.name}`" for one in method.maps)
        for method in METHODS.values()
    )
    return (
        f"**Threshold rules** never look at a mask: {rules};\n"
        f"for the subject or the whole cohort. **Maps**: {maps}.\n"
        f"**Post-processing**, in the order given: {steps}."
    )


def test_the_readme_lists_all_rules_maps_and_steps() -> None:
    found = BLOCK.search(README.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == block(), "run `python -m tests.unit.test_readme`"


def test_every_test_that_the_readme_names_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition("| promise | test |")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:unit|pages|corpus)/[\w/]+\.py)(?:::(\w+))?`", table)
    assert len(named) > 20
    for path, function in named:
        file = README.parent / "tests" / path
        assert file.is_file(), path
        assert not function or f"def {function}(" in file.read_text(encoding="utf-8"), function


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: block(), text), encoding="utf-8")
