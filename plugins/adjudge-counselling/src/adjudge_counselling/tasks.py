"""The tasks that the plugin registers."""

from __future__ import annotations

from adjudge.interfaces import Parameter, TaskSpec
from adjudge.metrics import level_agreement, score_correlation
from adjudge_counselling import datasets as data
from adjudge_counselling.crisis import GATE
from adjudge_counselling.metrics import crisis_figures, pointing_figures, search_figures

_SOURCE = Parameter(name="source", summary="the data set's file; shipped synthetic dialogues if empty", default="")
_LANGUAGE = Parameter(name="language", summary="language of the rubric", default="zh", choices=("en", "zh"))

PSYEVAL = TaskSpec(
    name="psyeval",
    summary="judges counselling sessions on sixteen dimensions, out of 100 (labels, if any, are a model's)",
    kind="judge",
    dataset=data.psyeval_dataset,
    rubric=data.psyeval_rubric,
    metrics=(score_correlation,),
    parameters=(_SOURCE, _LANGUAGE),
)
SESSION = TaskSpec(
    name="psyeval-session",
    summary="a candidate writes a whole counselling session for a case (try --solver mctsr-zero)",
    kind="candidate",
    dataset=data.session_dataset,
    rubric=data.psyeval_rubric,
    metrics=(search_figures,),
    parameters=(
        _SOURCE,
        _LANGUAGE,
        Parameter(
            name="case",
            summary="what the candidate is given",
            default="report",
            choices=("report", "complaint"),
        ),
    ),
)
TURN = TaskSpec(
    name="psyeval-turn",
    summary="a candidate gives the counsellor's next turn in a session that was broken off",
    kind="candidate",
    dataset=data.turn_dataset,
    rubric=data.turn_rubric,
    metrics=(search_figures,),
    parameters=(
        _SOURCE,
        _LANGUAGE,
        Parameter(name="after", summary="turns of the client that are shown", default=3),
    ),
)
ANNOMI = TaskSpec(
    name="annomi",
    summary="does a judge see good motivational interviewing, and what an utterance does (experts' labels)",
    kind="meta",
    dataset=data.annomi_dataset,
    rubric=data.annomi_rubric,
    metrics=(level_agreement, pointing_figures),
    parameters=(
        _SOURCE,
        Parameter(
            name="unit",
            summary="what is judged",
            default="dialogue",
            choices=("dialogue", "therapist", "client"),
        ),
        Parameter(name="context", summary="utterances shown before a single one", default=6),
        Parameter(name="opening", summary="utterances shown of a conversation, 0 for all", default=0),
        Parameter(name="point", summary="have the judge point at utterances", default=False),
    ),
    options=data.pointing_options,
)
ESCONV = TaskSpec(
    name="esconv",
    summary="does a judge see the strategy of a supporter's utterance, or how the seeker rates a session",
    kind="meta",
    dataset=data.esconv_dataset,
    rubric=data.esconv_rubric,
    metrics=(level_agreement, score_correlation),
    parameters=(
        _SOURCE,
        Parameter(name="unit", summary="what is judged", default="utterance", choices=("utterance", "session")),
        Parameter(name="context", summary="utterances shown before a single one", default=6),
    ),
)
CRISIS = TaskSpec(
    name="counselling-crisis",
    summary="does the crisis gate see open and hinted signs of danger, and leave their benign twins alone",
    kind="meta",
    dataset=data.crisis_dataset,
    rubric=data.crisis_rubric,
    metrics=(crisis_figures,),
    parameters=(
        Parameter(name="language", summary="language of the messages", default="both", choices=("en", "zh", "both")),
        Parameter(
            name="split",
            summary="seen while the lexicon was mended, or not",
            default="both",
            choices=("seen", "unseen", "both"),
        ),
    ),
    judge=GATE,
)
TASKS = (PSYEVAL, SESSION, TURN, ANNOMI, ESCONV, CRISIS)
"""What the plugin registers."""
