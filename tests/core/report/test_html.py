"""The HTML report shows everything and lets nothing of a submission act."""

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.report import RunRecord, render_html
from adjudge.report.html import MOST_ITEMS
from adjudge.report.text import HIDDEN, segments, visible
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Label, Message, Submission
from adjudge.verdict import Quote

VOID = {"meta", "input", "br"}
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(2)"><style>*{display:none}</style>'
    "</div></details></section></title></style>--><!-- ]]> {{ 7*7 }} {% raw %} ${7*7}"
    '" onmouseover="alert(3)" \' autofocus onfocus=\'alert(4) `"><iframe src=https://evil.example/></iframe>'
    '<meta http-equiv=refresh content="0;url=https://evil.example/"><base href=https://evil.example/>'
    "&lt;script&gt;&#60;b&#62;&amp;&nbsp; javascript:alert(5) url(https://evil.example/x.png)\x00\x1b[31m\u202edrow"
)


class Page(HTMLParser):
    """Every element, attribute and text of a page, and whether elements close in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.texts, self.open, self.styles = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.styles if self.open and self.open[-1] == "style" else self.texts).append(data)

    @property
    def text(self):
        return "".join(self.texts)


def hostile(text, make):
    """The words of a run with the same shape, `text` in every place that holds free text."""
    verdict, result = make
    rubric = Rubric.model_validate(
        {
            "id": "x/y",
            "version": text,
            "title": text,
            "role": text,
            "documentation": {"label_origin": "none", "intended_use": text, "limits": text},
            "criteria": [
                {
                    "id": "c",
                    "text": text,
                    "dimension": text,
                    "feedback": text,
                    "sources": [{"norm": text, "clause": text, "jurisdiction": text, "url": "https://evil.example/"}],
                    "scale": {
                        "kind": "ordinal",
                        "levels": [{"id": "low", "score": 0, "label": text}, {"id": "high", "score": 1}],
                    },
                }
            ],
        }
    )
    submission = Submission(
        id=text,
        input=(Message(role="user", content=text),),
        output=text,
        reference=text,
        context=text,
        labels=(Label(criterion="c", level=text, rater=text),),
        metadata={text: [text, {text: None}]},
    )
    pair = Comparison(id=text, submissions=(submission, submission), metadata={text: text})
    words = {"explanation": text, "detail": text, "flags": (text,), "judge": text}
    quotes = (Quote(text=text, start=2, end=30), Quote(text=text, start=20, end=len(text)), Quote(text=text))
    shares = {"distribution": {text: 0.5, "low": 0.5}, "orders": ({text: 1.0}, {"low": 1.0})}
    scored = verdict(text, "c", "low", score=0.0, quotes=quotes, **shares, **words)
    strange = verdict(text, text, text, quotes=quotes, **shares, **words)
    failed = verdict(text, "c", **words)
    return {
        "title": text,
        "created": text,
        "rubric": rubric,
        "items": [submission, pair],
        "results": [
            result(text, scored, strange, failed, note=text, dimensions={text: 0.5}),
            result(text, strange, coverage=0.0),
        ],
        "provenance": {text: {text: text}, "backend": text},
        "figures": {text: text, "table": [{text: text}], "more": {text: text}},
        "warnings": (text,),
    }


def test_no_element_or_attribute_comes_from_a_submission_or_a_judge(run, make):
    twin = "".join(character if HIDDEN.match(character) else "x" for character in HOSTILE)
    harmless = Page(render_html(replace(run, **hostile(twin, make))))
    attacked = Page(render_html(replace(run, **hostile(HOSTILE, make))))
    assert attacked.elements == harmless.elements
    assert attacked.open == []
    assert attacked.styles == harmless.styles
    allowed = {"style", "class", "id", "lang", "charset", "http-equiv", "content", "name", "aria-label", "title"}
    allowed |= {"scope", "role", "aria-labelledby", "aria-hidden", "tabindex", "type", "dir"}
    assert {name for name, _ in attacked.attributes} <= allowed
    for name, value in attacked.attributes:
        if name == "style":
            assert re.fullmatch(r"width:\d+\.\d%|margin-top:0", value)


def test_the_words_of_the_attack_are_shown_as_they_are(run, make):
    page = Page(render_html(replace(run, **hostile(HOSTILE, make))))
    assert page.text.count(visible(HOSTILE)) >= 20


@given(st.text(min_size=1, max_size=60))
def test_any_text_leaves_the_structure_alone(text):
    page, plain = (Page(render_html(_empty_run_with_warning(words))) for words in (text, "y"))
    assert page.elements == plain.elements
    assert f"[{visible(text)}]" in page.text


def _empty_run_with_warning(text):
    return RunRecord(title="t", created="", rubric=None, items=[], results=[], warnings=(f"[{text}]",))


def test_the_page_loads_nothing_and_runs_nothing(run, make):
    html = render_html(replace(run, **hostile(HOSTILE, make)))
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "link", "base", "form", "object", "embed", "a", "svg", "video"}
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "action", "background", "formaction", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"url\(|@import|expression", "".join(page.styles))


def test_the_content_security_policy_forbids_everything_but_inline_style(run):
    policy = [
        dict(zip(names, values, strict=True))
        for names, values in [
            (("http-equiv", "content"), match)
            for match in re.findall(r'<meta http-equiv="([^"]+)" content="([^"]+)">', render_html(run))
        ]
    ]
    assert policy == [
        {
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        }
    ]


def test_equal_records_give_equal_bytes(run):
    first = render_html(run)
    shuffled = [item.model_copy(update={"metadata": dict(reversed(list(item.metadata.items())))}) for item in run.items]
    assert render_html(replace(run, items=shuffled)) == first
    assert first.count(run.created) == 2


def test_an_unscored_verdict_is_named_with_its_reason_and_is_no_zero(run):
    text = " ".join(Page(render_html(run)).text.split())
    assert "Mean score 0.500 over 2 of 3 submissions; 1 unscored." in text
    assert "Coverage 88 %: 7 of 8 verdicts scored, 1 unscored: 1 parse (the reply was not understood)" in text
    assert "With every unscored verdict at its worst the mean is 0.333, at its best 0.500." in text
    assert "no score: 1 of 3 verdicts unscored" in text
    assert "parse: the reply was not understood" in text
    assert "the reply was cut" in text


def test_a_verdict_shows_level_share_mass_quotes_feedback_and_the_human_label(run):
    html = render_html(run)
    text = " ".join(Page(html).text.split())
    assert "met (Yes)" in text
    assert "score 1 · expected 0.900 · label mass 83 %" in text
    assert 'style="width:90.0%"' in html
    assert "human: No (r1)" in text
    assert "differs from a human label" in text
    assert text.count("Name the sign that makes you call.") == 2
    assert "invented words not found in the output" in text


def test_quotes_are_highlighted_where_they_stand_even_where_they_overlap(run):
    marks = re.findall(r'<mark title="quoted for ([^"]+)">([^<]*)</mark>', render_html(run))
    assert marks == [
        ("depth", "Check the pulse, "),
        ("escalates, depth", "then call the "),
        ("escalates", "docto"),
    ]


@pytest.mark.parametrize("place", [(-1, 3), (3, 3), (5, 2), (0, 10_000), (None, 3)])
def test_a_quote_that_is_not_there_is_never_highlighted(run, make, place):
    verdict, result = make
    quote = Quote(text="Check", start=place[0], end=place[1])
    html = render_html(
        replace(run, items=run.items[:1], results=[result("a", verdict("a", "depth", "student", quotes=(quote,)))])
    )
    assert "<mark" not in html
    assert "not found in the output" in html


def test_a_comparison_shows_both_outputs_and_the_probabilities_of_both_orders(pairs):
    html = render_html(pairs)
    text = " ".join(Page(html).text.split())
    assert "Comparisons: first 1, second 0, tie 0, incomparable 0; 1 changed with the order." in text
    assert "First: m1" in text
    assert "Second: m2" in text
    assert "order as given first88 %second12 % order swapped first25 %second75 %" in text
    assert re.findall(r"<mark[^>]*>([^<]*)</mark>", html) == ["Go home"]
    assert "Coverage 50 %: 1 of 2 verdicts scored, 1 unscored: 1 infra (the call failed)." in text
    assert "Mean score" not in text.split("Criteria")[0]


def test_a_judge_that_was_not_measured_is_called_so_with_the_command(run):
    html = render_html(run)
    assert "judge card: not measured: run `adjudge test synthetic/ward --backend local:tiny`" in html


def test_a_rubric_without_golden_tests_is_not_sent_to_be_tested(run):
    html = render_html(replace(run, rubric=run.rubric.model_copy(update={"tests": ()})))
    assert "judge card: none, since the rubric has no golden tests" in html
    assert "adjudge test" not in html


def test_a_judge_at_chance_is_called_so_with_what_to_type_for_a_better_one(run, card):
    html = Page(render_html(replace(run, card=card(5)))).text
    assert "at chance: for trying out only" in html
    assert "--backend local:PATH.gguf" in html
    better = Page(render_html(replace(run, card=card(8)))).text
    assert "above chance" in better
    assert "--backend local:PATH.gguf" not in better


def test_figures_show_intervals_tables_and_what_is_undefined(run):
    text = " ".join(Page(render_html(run)).text.split())
    assert "0.612 (wilson 95% interval 0.500 to 0.700, n 200)" in text
    assert "kappa undefined" in text or "kappaundefined" in text
    assert "confusion goldmetunmet met31 unmet04" in text


def test_every_table_names_its_columns_or_rows(run):
    html = render_html(run)
    assert html.count("<th scope=") == len(re.findall(r"<th\b", html))


def test_hidden_characters_are_shown_by_their_code_point():
    shown = visible("a\u202eb\u200bc\x00d\U000e0041\ufeff\u2028\x1b[0m tab\t line\n win\r\n")
    assert shown == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+0000⟩d⟨U+E0041⟩⟨U+FEFF⟩⟨U+2028⟩⟨U+001B⟩[0m tab\t line\n win\r\n"


def test_every_control_and_format_character_is_shown_but_for_line_ends_tabs_and_visible_signs():
    seen_anyway = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    left = {
        point
        for point in range(0x110000)
        if unicodedata.category(chr(point)) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not HIDDEN.search(chr(point))
    }
    assert left == seen_anyway | {0x9, 0xA}


@given(
    st.text(st.sampled_from("ab<&\n\u202e\u200b"), max_size=20),
    st.lists(st.tuples(st.integers(-3, 25), st.integers(-3, 25), st.sampled_from("pq")), max_size=5),
    st.one_of(st.none(), st.integers(0, 25)),
)
def test_stretches_put_together_are_the_text_and_cite_what_is_quoted(text, quotes, limit):
    pieces = segments(text, quotes, limit)
    shown = text if limit is None else text[:limit]
    assert "".join(piece.text for piece in pieces) == visible(shown)
    by_place = [piece.cited_by for piece in pieces for _ in range(1 if piece.hidden else len(piece.text))]
    inside = [(start, end, by) for start, end, by in quotes if 0 <= start < end <= len(text)]
    assert [set(cited) for cited in by_place] == [
        {by for start, end, by in inside if start <= place < end} for place in range(len(shown))
    ]


def test_a_long_text_is_cut_with_a_count(run):
    long = run.items[0].model_copy(update={"output": "x" * 25_000, "labels": ()})
    html = re.sub("</?mark[^>]*>", "", render_html(replace(run, items=[long, *run.items[1:]])))
    assert "x" * 20_000 in html
    assert "x" * 20_001 not in html
    assert "5,000 more characters are not shown." in html


def test_a_large_run_is_cut_with_a_count_and_stays_small(run, make):
    verdict, result = make
    count = MOST_ITEMS + 345
    items = [Submission(id=f"s{n}", input="Q", output="word " * 200) for n in range(count)]
    shares, why = {"unmet": 0.25, "met": 0.75}, "Because. " * 20
    results = [
        result(
            item.id,
            *(verdict(item.id, name, "met", distribution=shares, explanation=why) for name in ("escalates", "harm")),
            verdict(item.id, "depth", "expert"),
            value=1.0,
        )
        for item in items
    ]
    html = render_html(replace(run, items=items, results=results))
    shown = len(re.findall(r'<details class="item', html))
    assert len(html.encode()) <= 15_000_000
    assert 0 < shown <= MOST_ITEMS
    assert f"Shown: the first {shown:,} of {count:,}. The other {count - shown:,} count in every figure above" in html
    assert f"Mean score 1 over {count:,} of {count:,} submissions; 0 unscored." in html


def test_submissions_with_rubrics_of_their_own_are_summed_by_dimension(run, make):
    items = [item.model_copy(update={"rubric": run.rubric}) for item in run.items]
    text = " ".join(Page(render_html(replace(run, rubric=None, items=items))).text.split())
    assert "Dimensions" in text
    assert re.search(r"safety ?unmet 5 · met 1", text) or re.search(r"safety ?met 1 · unmet 5", text)
    assert "reasoning" in text


def test_items_and_results_that_do_not_match_are_refused(run):
    with pytest.raises(ValueError, match="same order"):
        replace(run, results=list(reversed(run.results)))
