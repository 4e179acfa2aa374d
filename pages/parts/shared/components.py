"""Components: HTML, CSS and JavaScript for the browser, from files beside their Python module.

A Streamlit component, like the file of an exported film, takes a single JavaScript text. `script`
joins a module and all it imports into one. There is no build step; tests read the same modules.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core.figures.basics import COLOURS

_HERE = Path(__file__).parent
_TYPES = re.compile(r"^/\*\* @import .*\*/\n", re.M)  # only for the type checker
_IMPORT = re.compile(r'^import \{([^}]+)\}\s+from "(\.[^"]+)";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const) (\w+))", re.M)


def declare(name: str, path: Path) -> Callable[..., Any]:
    """Declare a component from `path`.js, and `path`.html and `path`.css where there are any."""
    html, css, js = (path.with_suffix(suffix) for suffix in (".html", ".css", ".js"))
    return st.components.v2.component(
        name,
        html=html.read_text("utf-8") if html.is_file() else None,
        css=style(css) if css.is_file() else None,
        js=script(js),
    )


def reported(key: str) -> dict[str, Any]:
    """What the component with this key has reported so far."""
    return dict(st.session_state.get(key) or {})


def keep_told(key: str, kept: str) -> None:
    """Keep what the component with this key tells, under the session's key `kept`.

    A callback may draw nothing, no progress bar either: the fragment acts on it when it runs.
    """
    told = st.session_state[key].get("told")
    if isinstance(told, Mapping):
        st.session_state[kept] = told


def block(header: Mapping[str, Any], parts: Iterable[bytes]) -> bytes:
    """What `reader` of browser/blocks.js reads: uint32 length, JSON header, then the parts.

    The header is padded, so that the parts begin at a multiple of 4.
    """
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([len(text).to_bytes(4, "little"), text, *parts])


def style(path: Path) -> str:
    """The colours of the field as variables, the style of all panels, then this style sheet."""
    shared = (_HERE / "browser" / "panel.css").read_text("utf-8")
    return f"{variables()}{shared}{path.read_text('utf-8')}"


def variables() -> str:
    """The colours of the field as a style sheet's variables."""
    colours = "".join(f"--colour-{name}: {value}; " for name, value in COLOURS.items())
    return f":host, :root {{ {colours}}}\n"


def script(path: Path) -> str:
    """An ES module and all modules that it imports by relative paths, as one module.

    An imported module becomes a function that is called once and returns the exports, so that
    names of two modules don't clash. Modules may use `import { a, b as c } from "./file.js";` and
    `export` before a function or a constant. ValueError on anything else, on names that are not
    exported, and on modules that import each other.
    """
    modules: dict[Path, tuple[str, list[str]]] = {}
    text, _ = _module(path.resolve(), modules, ())
    return "".join(
        f"const {_variable(one)} = (() => {{\n{body}return {{ {', '.join(names)} }};\n}})();\n"
        for one, (body, names) in modules.items()
    ) + text  # fmt: skip


def _module(
    path: Path, modules: dict[Path, tuple[str, list[str]]], above: tuple[Path, ...]
) -> tuple[str, list[str]]:
    """A module's text with imports from variables, and what it exports; fills `modules`."""

    def bound(found: re.Match[str]) -> str:
        other = (path.parent / found[2]).resolve()
        if other in (*above, path):
            raise ValueError(f"{path} and {other} import each other")
        if other not in modules:
            modules[other] = _module(other, modules, (*above, path))
        wanted = {name.split()[0] for name in found[1].split(",") if name.strip()}
        missing = wanted - set(modules[other][1])
        if missing:
            raise ValueError(f"{path} imports {missing} that {other} does not export")
        return f"const {{{found[1].replace(' as ', ': ')}}} = {_variable(other)};"

    text = _IMPORT.sub(bound, _TYPES.sub("", path.read_text("utf-8")))
    names = _EXPORT.findall(text)
    text = _EXPORT.sub("", text)
    entry = "" if above else "(?!default function)"
    if other := re.search(rf"^(import\b|export {entry}).*", text, re.M):
        raise ValueError(f"{path}: cannot put {other[0]!r} into one text")
    return text, names


def _variable(path: Path) -> str:
    return f"{path.parent.name}_{path.stem}".replace("-", "_")
