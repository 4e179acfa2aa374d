"""Tuning: a threshold per subject for a whole study, decided quickly and kept for good."""

from collections.abc import Callable

from ascnet_core.studies.folder import Study
from pages.parts.deciding import decide
from pages.parts.shared import feedback
from pages.parts.shared.sidebar import style, unseen_title
from pages.parts.tuning import agreement_view, chosen, report_view, rules_view
from pages.parts.versus import versus

# What the page shows of a study, by the name in its address: label, and what draws it. It is called
# with the study and the rater's name ("" where nobody is named yet).
VIEWS: dict[str, tuple[str, Callable[[Study, str], None]]] = {
    chosen.DECIDE: ("Decide", decide.show),
    "rules": ("Rules", rules_view.show),
    "versus": ("Blind comparison", versus.show),
    "agreement": ("Agreement", agreement_view.show),
    "report": ("Report", report_view.show),
}


def page() -> None:
    style()
    unseen_title("Tuning")
    with feedback.show_user_errors():
        study, rater = chosen.choose()
        if study is None:
            return
        chosen.ask_for(study)
        name = chosen.choose_view({key: label for key, (label, _) in VIEWS.items()})
        if name:
            VIEWS[name][1](study, rater)


page()
