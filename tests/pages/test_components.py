"""ES modules put into one text: for components, which take one, and for the film's file."""

import re
from pathlib import Path

import pytest

from ascnet_core.figures.basics import COLOURS
from pages.parts.shared import components

PARTS = Path(components.__file__).parents[1]


@pytest.fixture
def module(tmp_path: Path):
    """Writes a module and gives its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_an_imported_module_comes_first_and_once_and_keeps_its_other_names(module) -> None:
    module("a.js", "const hidden = 1;\nexport const one = hidden;\nexport function two() {}\n")
    module("b.js", 'import { one } from "./a.js";\nexport async function three() { await one; }\n')
    entry = module(
        "sub/entry.js",
        'import { one as first, two } from "../a.js";\nimport { three }\n  from "../b.js";\n'
        "export default function mount() { two(first, three); }\n",
    )
    text = components.script(entry)
    folder = entry.parents[1].name.replace("-", "_")
    assert text == (
        f"const {folder}_a = (() => {{\nconst hidden = 1;\nconst one = hidden;\n"
        "function two() {}\nreturn { one, two };\n})();\n"
        f"const {folder}_b = (() => {{\nconst {{ one }} = {folder}_a;\n"
        "async function three() { await one; }\nreturn { three };\n})();\n"
        f"const {{ one: first, two }} = {folder}_a;\nconst {{ three }} = {folder}_b;\n"
        "export default function mount() { two(first, three); }\n"
    )


def test_what_only_checkers_read_is_left_out(module) -> None:
    entry = module("a.js", '/** @import { B } from "./b.js" */\nexport default function a() {}\n')
    assert components.script(entry) == "export default function a() {}\n"


def test_a_list_of_imports_may_end_with_a_comma(module) -> None:
    module("a.js", "export const one = 1;\n")
    entry = module(
        "b.js", 'import {\n  one,\n} from "./a.js";\nexport default function f() { one; }\n'
    )
    assert "export default function f() { one; }" in components.script(entry)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('import { missing } from "./other.js";\n', "missing"),
        ('import * as all from "./other.js";\n', "cannot"),
        ('import other from "./other.js";\n', "cannot"),
        ('import { x } from "npm-package";\n', "cannot"),
        ("export { x };\n", "cannot"),
        ("export let x = 1;\n", "cannot"),
        ('import { back } from "./circle.js";\n', "each other"),
        ('import { d } from "./default.js";\n', "cannot"),
    ],
)
def test_what_cannot_be_put_into_one_text_is_refused(module, text: str, said: str) -> None:
    module("other.js", "export const x = 1;\n")
    module("circle.js", 'import { x } from "./entry.js";\nexport const back = x;\n')
    module("default.js", "export const d = 1;\nexport default function f() {}\n")
    with pytest.raises(ValueError, match=said):
        components.script(module("entry.js", text))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PARTS.rglob("*.js")) if "export default" in path.read_text("utf-8")],
    ids=lambda path: path.stem,
)
def test_each_component_is_one_module_with_one_default_export(path: Path) -> None:
    text = components.script(path)
    assert len(re.findall(r"^export default function", text, re.M)) == 1
    assert len(re.findall(r"^(?:import|export)\b", text, re.M)) == 1


def test_style_sheets_have_the_colours_of_the_figures() -> None:
    css = components.style(PARTS / "film" / "film.css")
    for name, colour in COLOURS.items():
        assert f"--colour-{name}: {colour};" in css
    assert css.index("--colour-mask") < css.index(".panel {") < css.index(".film {")


def test_colours_of_the_field_stand_in_one_place() -> None:
    files = [path for path in PARTS.rglob("*") if path.suffix in (".js", ".css", ".html")]
    assert len(files) > 20
    for path in files:
        text = path.read_text("utf-8").lower()
        assert not [colour for colour in set(COLOURS.values()) if colour.lower() in text], path
