import pytest

from ascnet_core.commands.crossval import EXAMPLES
from ascnet_core.crossval.plan import read_crossplan
from ascnet_core.errors import UserError

PLAN = """
seeds = [0, 1]
set = ["data.size=32"]

[data.a]
manifests = ["a.csv", "more/a.csv"]
set = ["schedule.steps=7"]
rules = { wild = ["otsu"] }
post = ["components:9"]

[data.b]
manifests = "b.csv"
folds = "leave-one-patient-out"
side = "dark"
reference = "normal.csv"

[run.first]
data = ["a", "b"]
set = ["network.width=2"]
rules = { reconstruction = ["otsu", "valley:1"] }

[run.second]
data = "a"
seeds = [5]
flip = [false, true]
cycles = "all"
"""


def read(tmp_path, text=PLAN):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_crossplan(path)


def test_a_plan_is_laid_out(tmp_path):
    plan = read(tmp_path)
    assert [c.title for c in plan.configurations] == ["a-first", "b-first", "a-second"]
    first, other, second = plan.configurations
    assert first.data.manifests == (tmp_path / "a.csv", tmp_path / "more" / "a.csv")
    assert first.data.post == ((), ("components:9",))
    assert other.data.reference == str(tmp_path / "normal.csv")
    assert (other.data.side, other.data.post) == ("dark", ((),))
    assert [plan.side for plan in other.data.plans()] == ["dark"]
    assert first.how.rules == {"reconstruction": ("otsu", "valley:1")}
    assert second.how.rules == {"wild": ("otsu",)}
    assert (second.how.seeds, second.how.flip, second.how.cycles) == ((5,), (False, True), "all")
    assert (first.how.seeds, first.how.cycles) == ((0, 1), "last")


def test_changes_of_settings_add_up_and_each_seed_has_its_own(tmp_path):
    first, other, _ = read(tmp_path).configurations
    settings = first.settings(3)
    assert (settings.data.size, settings.network.width) == (32, 2)
    assert (settings.schedule.steps, settings.schedule.seed) == (7, 3)
    assert other.settings(0).schedule.steps != 7


def test_labels_of_a_data_sets_masks_are_chosen_in_the_plan(tmp_path):
    text = PLAN.replace("schedule.steps=7", "data.label=1,4")
    plan = read(tmp_path, text)
    assert (plan.preparations["a"].label, plan.preparations["b"].label) == ((1, 4), ())


def test_only_keeps_what_it_names_but_not_the_baselines_preparation(tmp_path):
    plan = read(tmp_path)
    assert [c.title for c in plan.only(["first"]).configurations] == ["a-first", "b-first"]
    assert [c.title for c in plan.only(["a-second"]).configurations] == ["a-second"]
    assert [c.title for c in plan.only(["b"]).configurations] == ["b-first"]
    assert list(plan.only(["b"]).data) == ["b"]
    assert plan.only(["second"]).preparations["a"] == plan.preparations["a"]
    with pytest.raises(UserError, match=r"no 'third'; --only takes a, a-first"):
        plan.only(["third"])


def test_settings_reach_the_baselines_of_a_plan_without_runs(tmp_path):
    plan = read(tmp_path, PLAN.split("[run.first]")[0] + 'set = ["data.label=2"]\n')
    assert (plan.preparations["a"].size, plan.preparations["b"].size) == (32, 32)
    assert (plan.preparations["a"].label, plan.preparations["b"].label) == ((), (2,))
    with pytest.raises(UserError, match=r"\[data\.a\]: .*data\.no"):
        read(tmp_path, '[data.a]\nmanifests = "a.csv"\nset = ["data.no=1"]\n')


def test_the_plans_in_the_help_can_be_read(tmp_path):
    """What a newcomer copies."""
    small, _, rest = EXAMPLES.partition("A plan, as small as it can be:")[2].partition(
        "and with everything that it may say:"
    )
    small_plan = read(tmp_path, small)
    assert [c.title for c in small_plan.configurations] == ["lgg-teaching"]
    plan = read(tmp_path, rest.partition("`set`, `seeds`")[0])
    assert [c.title for c in plan.configurations] == ["ms-no-adversary", "hospital-no-adversary"]
    assert plan.configurations[0].how.cycles == "all"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[data.a]", "[data.a", "no valid TOML"),
        ("seeds = [0, 1]", 'seeds = ["0"]', r"seeds is \['0'\]"),
        ("seeds = [0, 1]", "colour = 1", "has 'colour'"),
        ("network.width=2", "network.widths=2", r"\[run\.first\]: .*network\.width"),
        ('data = "a"', 'data = "c"', "data is 'c'; name one or more of a, b"),
        ('data = "a"\n', "", "data is None"),
        ('"otsu", "valley:1"', '"best"', "best"),
        ("reconstruction = [", "brain = [", "no map 'brain'"),
        ('side = "dark"', 'side = "left"', "side is 'left'"),
        ('cycles = "all"', "cycles = 3", "cycles is 3"),
        ('["components:9"]', '["polish"]', "polish"),
        ('manifests = "b.csv"', "manifest = 1", "no key 'manifest'"),
        ('manifests = "b.csv"', "", "manifests is None"),
        ("[run.second]", '[run."a b"]', "use letters"),
        ("flip = [false, true]", 'preset = "best"', "no preset 'best'"),
        ("flip = [false, true]", "flip = 1", "flip is 1; write a valid boolean"),
        ('side = "dark"', 'split_seed = "x"', r"\[data\.b\]: split_seed is 'x'; write a valid"),
        ('side = "dark"', "always_train = 5", "always_train is 5; write one text or a list"),
        ('side = "dark"', 'baselines = ["best"]', "no method 'best'"),
        ("[data.b]", "[data]\nc = 5\n[data.b]", r"\[data\.c\] is 5; write a table"),
    ],
)
def test_a_plan_that_does_not_fit_says_where(tmp_path, old, new, said):
    assert old in PLAN
    with pytest.raises(UserError, match=said):
        read(tmp_path, PLAN.replace(old, new))


def test_a_plan_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8-sig")
    assert len(read_crossplan(tmp_path / "plan.toml").configurations) == 3


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_crossplan(tmp_path / "none.toml")
