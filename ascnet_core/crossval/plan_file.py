"""The tables of a plan file, checked by pydantic, and the sentences of what they refuse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
)

from ascnet_core.errors import UserError
from ascnet_core.methods.baselines import BASELINES, baselines
from ascnet_core.names import Scope, Side, Unit
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.steps import parse_steps


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _posts(value: Any) -> Any:
    """Steps, or several lists of steps, as lists of steps."""
    several = value and isinstance(value, list) and isinstance(value[0], list)
    return value if several else [_several(value)]


def _with_raw(posts: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Check steps, and add no steps at all to compare with."""
    for steps in posts:
        parse_steps(steps)
    return posts if () in posts else ((), *posts)


def _rule(text: str) -> str:
    parse_rule(text)
    return text


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    baselines(names)
    return names


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_several)]
Rules = Annotated[tuple[Annotated[str, AfterValidator(_rule)], ...], BeforeValidator(_several)]


class Shared(BaseModel):
    """Keys that may stand above all tables, in [data.X] and in [run.X]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Annotated[dict[str, Rules], Field(min_length=1)] = {}
    """Of each map; by default, the rule that the method has for its first one."""
    flip: Annotated[tuple[StrictBool, ...], BeforeValidator(_several)] = (False,)
    cycles: Literal["last", "all"] = "last"
    seeds: Annotated[tuple[StrictInt, ...], BeforeValidator(_several)] = Field((0,), min_length=1)
    set: Texts = ()


class DataTable(Shared):
    """[data.NAME]: scans, how they are divided, and what is the same for all methods on them."""

    manifests: Paths
    test: Paths = ()
    folds: StrictInt | str = 2
    split_seed: Annotated[StrictInt, Field(ge=0)] = 0
    always_train: Texts = ()
    reference: str = "lesion-free"
    side: Side = "bright"
    scope: Scope = "cohort"
    unit: Unit = "subject"
    post: Annotated[
        tuple[tuple[str, ...], ...], BeforeValidator(_posts), AfterValidator(_with_raw)
    ] = ((),)
    baselines: Annotated[Texts, AfterValidator(_known)] = tuple(BASELINES)
    baseline_rules: Rules = ()
    shapes: StrictBool = False


class RunTable(Shared):
    """[run.NAME]: one recipe."""

    data: Texts | None = None
    preset: str = "teaching"
    note: str = ""


class PlanFile(Shared):
    """A whole plan."""

    data: dict[Name, DataTable]
    run: dict[Name, RunTable] = {}


def laid(*tables: Shared) -> dict[str, Any]:
    """Lay tables over one another: the last value of a key counts, but `set` adds up."""
    values: dict[str, Any] = {}
    for table in tables:
        for key in table.model_fields_set & Shared.model_fields.keys():
            values[key] = getattr(table, key)
    return values | {"set": tuple(change for table in tables for change in table.set)}


def read_plan_file(path: Path, content: Mapping[str, Any]) -> PlanFile:
    """Check the content of a plan file; `UserError` names the table and key that don't fit."""
    if not content.get("data"):
        raise UserError(f"{path} has no table [data.NAME]; name the manifests to learn from.")
    try:
        return PlanFile.model_validate(content)
    except ValidationError as error:
        raise UserError(_refusal(path, content, error)) from error


def _refusal(path: Path, content: Mapping[str, Any], error: ValidationError) -> str:
    # an unknown key says more than the key that is missing for it
    problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    model: type[Shared] = PlanFile
    where, keys, table = str(path), [str(part) for part in problem["loc"]], content
    if keys[0] in ("data", "run") and len(keys) > 1:
        model = DataTable if keys[0] == "data" else RunTable
        where, table = f"{path}, [{keys[0]}.{keys[1]}]", content[keys[0]][keys[1]]
        keys = keys[2:]
        if keys == ["[key]"]:
            return f"{where}: use letters, digits, '.', '_' and '-' in a name."
        if not keys:
            return f"{where} is {table!r}; write a table."
    key = keys[0]
    if problem["type"] == "extra_forbidden" and model is PlanFile:
        return (
            f"{path} has {key!r}; it takes tables [data.NAME] and [run.NAME], and before them "
            f"{', '.join(sorted(Shared.model_fields))} for all runs."
        )
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(model.model_fields))
        return f"{where}: there is no key {key!r}; it takes {known}."
    wanted = "one text or a list of texts"
    if problem["type"] not in ("missing", "string_type"):
        wanted = problem["msg"].removeprefix("Input should be ")
    return f"{where}: {key} is {table.get(key)!r}; write {wanted}."
