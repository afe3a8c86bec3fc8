"""The HTML report shows everything and lets nothing of a submission act."""

import base64
import hashlib
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.interfaces import Plot, Section, Table
from adjudge.report import RunRecord, render_html
from adjudge.report.exchanges import Turn
from adjudge.report.payload import PER_BLOCK, _packed, payload, unpacked
from adjudge.report.sections import audits_of, sections_of
from adjudge.report.svg import safe_svg
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
    """Every element, attribute and text of a page, whether elements close in order, and what is packed in it."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.texts, self.open = [], [], [], []
        self.scripts, self.styles, self.packed = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        self._is_data = ("type", "text/plain") in attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside == "script" and self._is_data:
            self.packed.append(unpacked(data))
        else:
            {"style": self.styles, "script": self.scripts}.get(inside, self.texts).append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    @property
    def index(self):
        return self.packed[0]

    @property
    def entries(self):
        """Everything packed of every submission, each place of a string replaced by the string."""
        return [_whole(entry, block["strings"]) for block in self.packed[1:] for entry in block["entries"]]


def _whole(entry, strings):
    """Texts, and prompts with replies, in words; the rest as it is."""

    def piece(one):
        return (strings[one], None) if isinstance(one, int) else (strings[one[0]], one[1])

    def said(one):
        turns = [
            ([strings[part] for part in prompt], [(role, strings[place]) for role, place in added], strings[reply])
            for prompt, added, reply in one.get("turns", [])
        ]
        members = [said(member) for member in one.get("members", [])]
        return one | {"text": strings[one["text"]] if "text" in one else None, "turns": turns, "members": members}

    texts = {
        name: [text | {"pieces": [piece(one) for one in text["pieces"]]} for text in entry.get(name, [])]
        for name in ("inputs", "outputs")
    }
    results = [result | {"verdicts": [said(one) for one in result["verdicts"]]} for result in entry["results"]]
    return entry | texts | {"results": results}


def verdicts_of(html, place=0, run=0):
    return Page(html).entries[place]["results"][run]["verdicts"]


def marks_of(html, place=0):
    texts = Page(html).entries[place]["outputs"]
    return [(cited, words) for text in texts for words, cited in text["pieces"] if cited]


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
    words = {"explanation": text, "detail": text, "flags": (text,), "judge": text, "fingerprint": "f"}
    quotes = (Quote(text=text, start=2, end=30), Quote(text=text, start=20, end=len(text)), Quote(text=text))
    shares = {"distribution": {text: 0.5, "low": 0.5}, "orders": ({text: 1.0}, {"low": 1.0})}
    scored = verdict(text, "c", "low", score=0.0, quotes=quotes, **shares, **words)
    strange = verdict(text, text, text, quotes=quotes, **shares, **words)
    failed = verdict(text, "c", members=(scored,), **words)
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
        "audits": {text: {text: [{text: text}], "more": {"value": 0.5, "note": text}}},
        "exchanges": lambda _: {"f": (Turn((text,) * 4, ((text, text),), text),)},
    }


def full(record):
    return render_html(record, sections=audits_of([record]))


def test_no_element_or_attribute_comes_from_a_submission_or_a_judge(run, make):
    twin = "".join(character if HIDDEN.match(character) else "x" for character in HOSTILE)
    harmless = Page(full(replace(run, **hostile(twin, make))))
    attacked = Page(full(replace(run, **hostile(HOSTILE, make))))
    assert attacked.elements == harmless.elements
    assert attacked.open == []
    assert (attacked.styles, attacked.scripts) == (harmless.styles, harmless.scripts)
    known = dict.fromkeys(name for name, _ in harmless.attributes)
    assert {name for name, _ in attacked.attributes} == set(known)
    assert not [name for name in known if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    assert {value for name, value in attacked.attributes if name == "href"} <= {
        f"#{part}" for part in ("result", "criteria", "figures", "submissions", "cost", "provenance", "part1")
    }


def test_the_words_of_the_attack_are_shown_as_they_are(run, make):
    page = Page(full(replace(run, **hostile(HOSTILE, make))))
    assert page.text.count(" ".join(visible(HOSTILE).split())) >= 20
    assert str(page.packed).count(repr(visible(HOSTILE))[1:-1]) >= 20


@given(st.text(min_size=1, max_size=60))
def test_any_text_leaves_the_structure_alone(text):
    page, plain = (Page(render_html(_empty_run_with_warning(words))) for words in (text, "y"))
    assert page.elements == plain.elements
    assert f"[{visible(text)}]" in "".join(page.texts)


def _empty_run_with_warning(text):
    return RunRecord(title="t", created="", rubric=None, items=[], results=[], warnings=(f"[{text}]",))


def test_what_is_packed_cannot_end_its_element_and_comes_back_as_it_was(run, make):
    html = full(replace(run, **hostile(HOSTILE, make)))
    data = re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert len(data) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", one) for one in data)


def test_the_page_loads_nothing(run, make):
    page = Page(full(replace(run, **hostile(HOSTILE, make))))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"img", "iframe", "link", "base", "object", "embed", "video", "audio", "source"}
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "srcset", "action", "background", "formaction", "xlink:href", "style"}
    assert not re.search(r"url\(|@import|expression", "".join(page.styles))
    assert not re.search(r"fetch|XMLHttp|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", page.scripts[0])


def test_the_content_security_policy_allows_this_script_and_this_style_only(run):
    html = render_html(run)
    page = Page(html)
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', html)
    script, style = (
        f"sha256-{base64.b64encode(hashlib.sha256(''.join(text).encode()).digest()).decode()}"
        for text in (page.scripts, page.styles)
    )
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'"
    )


def test_equal_records_give_equal_bytes(run):
    first = render_html(run)
    shuffled = [item.model_copy(update={"metadata": dict(reversed(list(item.metadata.items())))}) for item in run.items]
    assert render_html(replace(run, items=shuffled)) == first
    assert first.count(run.created) == 2


def test_an_unscored_verdict_is_named_with_its_reason_and_is_no_zero(run):
    page = Page(render_html(run))
    assert "Mean score 0.500 over 2 of 3 submissions; 1 unscored." in page.text
    assert "Coverage 88 %: 7 of 8 verdicts scored, 1 unscored: 1 parse (the reply was not understood)" in page.text
    assert "With every unscored verdict at its worst the mean is 0.333, at its best 0.500." in page.text
    (result,) = page.entries[1]["results"]
    assert result["score"] == "no score: 1 of 3 verdicts unscored"
    assert result["verdicts"][1]["why"] == "parse: the reply was not understood"
    assert result["verdicts"][1]["detail"] == "the reply was cut"
    row = page.index["rows"][1]
    assert row[:3] == ["b", "no score: 1 of 3 verdicts unscored", None]
    assert page.index["answers"][row[4][1][2]] == "unscored: parse"


def test_a_verdict_shows_level_share_mass_quotes_feedback_and_the_human_label(run):
    first, second, _ = verdicts_of(render_html(run))
    assert (first["level"], first["tone"], first["text"]) == ("met (Yes)", "best", "Says when to call for help.")
    assert first["figures"] == ["score 1", "expected 0.900", "label mass 83 %"]
    assert first["bars"] == [["No", "10 %", 0.1, False], ["Yes", "90 %", 0.9, True]]
    assert first["humans"] == [["unmet (No)", "r1", True]]
    assert first["quotes"] == [["then call the docto", None, True], ["invented words", None, False]]
    assert "feedback" not in second
    assert verdicts_of(render_html(run), 1)[0]["feedback"] == "Name the sign that makes you call."


def test_prompt_and_reply_stand_with_the_verdict_that_they_led_to(run, make):
    verdict, result = make
    member = verdict("a", "depth", "expert", fingerprint="g", judge="second")
    asked = verdict("a", "depth", "expert", fingerprint="f", members=(member,))
    turns = {
        "f": (Turn(("S", "I", "O", "A"), (), "odd"), Turn(("S", "I", "O", "A"), (("assistant", "odd"),), "expert")),
        "g": (Turn(("S", "I", "O", "B"), (), "3"),),
    }
    record = replace(run, items=run.items[:1], results=[result("a", asked)], exchanges=lambda _: turns)
    (shown,) = verdicts_of(render_html(record))
    assert shown["turns"] == [(list("SIOA"), [], "odd"), (list("SIOA"), [("assistant", "odd")], "expert")]
    assert shown["members"][0]["turns"] == [(list("SIOB"), [], "3")]
    assert (shown["members"][0]["judge"], shown["members"][0]["level"]) == ("second", "expert")


def test_quotes_are_highlighted_where_they_stand_even_where_they_overlap(run):
    assert marks_of(render_html(run)) == [
        ("depth", "Check the pulse, "),
        ("escalates, depth", "then call the "),
        ("escalates", "docto"),
    ]


@pytest.mark.parametrize("place", [(-1, 3), (3, 3), (5, 2), (0, 10_000), (None, 3)])
def test_a_quote_that_is_not_there_is_never_highlighted(run, make, place):
    verdict, result = make
    quote = Quote(text="Check", start=place[0], end=place[1])
    record = replace(run, items=run.items[:1], results=[result("a", verdict("a", "depth", "student", quotes=(quote,)))])
    html = render_html(record)
    assert marks_of(html) == []
    assert verdicts_of(html)[0]["quotes"] == [["Check", None, False]]


def test_a_comparison_shows_both_outputs_and_the_probabilities_of_both_orders(pairs):
    page = Page(render_html(pairs))
    assert "Comparisons: first 1, second 0, tie 0, incomparable 0; 1 changed with the order." in page.text
    assert [text["heading"] for text in page.entries[0]["outputs"]] == ["First: m1", "Second: m2"]
    shown = page.entries[0]["results"][0]["verdicts"][0]
    assert [name for name, _ in shown["orders"]] == ["as given", "swapped"]
    assert [bars[0][:2] for _, bars in shown["orders"]] == [["first", "88 %"], ["first", "25 %"]]
    assert [words for _, words in marks_of(render_html(pairs))] == ["Go home"]
    assert "Coverage 50 %: 1 of 2 verdicts scored, 1 unscored: 1 infra (the call failed)." in page.text
    assert "Mean score" not in page.text.split("Criteria")[0]


def test_several_runs_stand_beside_each_other_and_share_what_they_judged(run):
    other = replace(run, title="Second judge", results=[*run.results[:2], run.results[2]])
    page = Page(render_html(run, other))
    assert page.index["runs"] == ["Ward advice", "Second judge"]
    assert len(page.entries) == 3
    assert [result["run"] for result in page.entries[0]["results"]] == [0, 1]
    assert page.text.count("Mean score 0.500 over 2 of 3 submissions") == 2
    changed = replace(other, items=[run.items[0].model_copy(update={"output": "Other words."}), *run.items[1:]])
    assert len(Page(render_html(run, changed)).entries) == 4


def test_a_judge_that_was_not_measured_is_called_so_with_the_command(run):
    html = render_html(run)
    assert "judge card: not measured: run <code>adjudge test synthetic/ward --backend local:tiny</code>" in html


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
    text = Page(render_html(run)).text
    assert "0.612 (wilson 95% interval 0.500 to 0.700, n 200)" in text
    assert "kappa undefined" in text or "kappaundefined" in text
    assert re.search(r"confusion gold ?met ?unmet met ?3 ?1 unmet ?0 ?4", text)


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
    (text,) = Page(render_html(replace(run, items=[long, *run.items[1:]]))).entries[0]["outputs"]
    assert sum(len(words) for words, _ in text["pieces"]) == 20_000
    assert text["left_out"] == 5_000


def large(run, make, count):
    verdict, result = make
    items = [Submission(id=f"s{n}", input="Q", output=f"{n} " + "word " * 200) for n in range(count)]
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
    return replace(run, items=items, results=results)


def room_for(record, blocks):
    """Bytes that so many blocks take with their part of the index."""
    whole = payload([record])
    rows = unpacked(whole.index)["rows"]
    parts = [rows[place * PER_BLOCK : (place + 1) * PER_BLOCK] for place in range(blocks)]
    return sum(len(block) + len(_packed(part)) for block, part in zip(whole.blocks, parts, strict=False))


def test_a_run_that_does_not_fit_is_cut_with_a_count(run, make):
    count = 2 * PER_BLOCK + 5
    record = large(run, make, count)
    whole = payload([record])
    assert (whole.shown, whole.total, len(whole.blocks)) == (count, count, 3)
    room = room_for(record, 2)
    cut = payload([record], room)
    assert (cut.shown, cut.total) == (2 * PER_BLOCK, count)
    assert len(unpacked(cut.index)["rows"]) == 2 * PER_BLOCK
    assert payload([record], room - 1).shown == PER_BLOCK


def test_a_page_that_leaves_submissions_out_says_how_many(run, make, monkeypatch):
    record = large(run, make, PER_BLOCK + 1)
    room = room_for(record, 1)
    monkeypatch.setattr("adjudge.report.html.payload", lambda records: payload(records, room))
    text = Page(render_html(record)).text
    assert "Shown: the first 200 of 201. The other 1 count in every figure above" in text
    assert "Mean score 1 over 201 of 201 submissions; 0 unscored." in text


def test_submissions_with_rubrics_of_their_own_are_summed_by_dimension(run, make):
    items = [item.model_copy(update={"rubric": run.rubric}) for item in run.items]
    text = Page(render_html(replace(run, rubric=None, items=items))).text
    assert "Dimensions" in text
    assert re.search(r"safety ?unmet 5 · met 1", text) or re.search(r"safety ?met 1 · unmet 5", text)
    assert "reasoning" in text


def test_items_and_results_that_do_not_match_are_refused(run):
    with pytest.raises(ValueError, match="same order"):
        replace(run, results=list(reversed(run.results)))


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">%s</svg>'
SECTION = Section(
    title="Agreement",
    lead="How often both say the same.",
    help="1 is always.",
    parts=(
        "A paragraph.",
        Table(
            title="Pairs",
            columns=("people", "met"),
            rows=(("met", 3), ("unmet", None)),
            shades=((None, 0.99), (None, 0.0)),
        ),
        Plot(
            title="Forest",
            says="One dot at 0.5.",
            svg=SVG % '<circle r="2" style="fill: var(--ink)"/>',
        ),
    ),
)


def test_a_section_of_a_plugin_stands_with_its_words_tables_and_pictures(run):
    html = render_html(run, sections=[SECTION])
    text = Page(html).text
    for words in ("How often both say the same.", "1 is always.", "A paragraph.", "One dot at 0.5."):
        assert words in text
    assert '<td class="shade9">3</td>' in html
    assert '<td class="shade0">undefined</td>' in html
    assert '<a href="#part1">Agreement</a>' in html
    assert '<circle r="2" fill="var(--ink)" />' in html


def plugins(**analyses):
    return SimpleNamespace(analyses={name: SimpleNamespace(sections=make) for name, make in analyses.items()})


def test_a_missing_plugin_is_one_line_that_says_what_to_install(run):
    found = sections_of([run], plugins(other=None))
    assert [one.title for one in found] == ["Agreement with people", "How far the judge's confidence can be trusted"]
    assert all("pip install adjudge-validity" in one.lead and not one.parts for one in found)


def test_an_analysis_that_fails_leaves_its_reason_and_the_others_alone(run):
    def broken(_):
        raise RuntimeError("no\nluck")

    def no_picture(_):
        return [Section(title="t", lead="l", parts=(Plot(title="p", svg="<html/>", says="s"),))]

    known = plugins(agreement=broken, confidence=lambda _: [SECTION], drawn=no_picture, odd=lambda _: ["no section"])
    found = sections_of([run], known)
    assert [one.title for one in found] == ["Agreement", "Agreement", "Drawn", "Odd"]
    assert "a plot is no SVG" in found[2].lead
    assert "'odd' failed" in found[3].lead
    assert found[0].lead == "Not shown: the analysis 'agreement' failed (RuntimeError: no luck)"


def test_audits_beside_a_run_are_shown_as_the_tables_that_they_hold(run):
    estimate = {"value": 0.25, "low": 0.1, "high": 0.4, "n": 20, "note": ""}
    part = {"name": "one", "rate": {"value": None, "note": "no twins"}}
    rows = [{"audit": {"name": "order", "summary": ""}, "whole": {"flips": estimate}, "passed": False, "parts": [part]}]
    audits = {
        "audit": {"judge": "tiny", "findings": rows, "limits": {"flips": 0.1}},
        "audit-two": [{"a": 1, "b": None}],
    }
    (section,) = audits_of([replace(run, audits=audits)])
    assert [(part.title, part.columns, part.rows) for part in section.parts] == [
        ("audit", ("figure", "value"), (("judge", "tiny"),)),
        ("audit: findings", ("audit name", "whole flips", "passed"), (("order", "0.25 (0.10 to 0.40)", False),)),
        ("audit: findings: order: parts", ("name", "rate"), (("one", "undefined: no twins"),)),
        ("audit: limits", ("figure", "value"), (("flips", 0.1),)),
        ("audit-two", ("a",), ((1,),)),
    ]
    assert "0.25 (0.10 to 0.40)" in Page(render_html(run, sections=[section])).text


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<a href="javascript:alert(1)"><text>x</text></a>',
        '<image href="https://evil.example/x.png"/>',
        '<use href="https://evil.example/x.svg#y"/>',
        '<rect fill="url(https://evil.example/x)" style="fill: url(//evil.example); background: red"/>',
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x'/></body></foreignObject>",
        "<style>*{fill:red}</style>",
    ],
)
def test_a_picture_keeps_shapes_only(run, inside):
    picture = Plot(title="p", svg=SVG % inside, says="s")
    html = render_html(run, sections=[Section(title="t", lead="l", parts=(picture,))])
    page = Page(html)
    drawn = html[html.index("<figure>") : html.index("</figure>")]
    assert not re.search(r"script|onload|javascript|evil|foreign|image|<style|style=", drawn)
    assert page.open == []


def test_a_picture_keeps_what_drawing_libraries_write(run):
    drawn = safe_svg(
        SVG % '<defs><path id="m1" d="M 0 0 L 1 1" style="stroke: #ff0000; stroke-width: 0.8"/></defs>'
        '<g clip-path="url(#c1)"><use xlink:href="#m1" x="3"/></g>'
        "<text style=\"font: 700 10px 'Sans'; text-anchor: middle\">a &lt; b\u202e</text>",
        "p-",
        "label",
    )
    path, use, text = (drawn.find(f".//{name}") for name in ("path", "use", "text"))
    assert dict(path.attrib) == {"id": "p-m1", "d": "M 0 0 L 1 1", "stroke": "#ff0000", "stroke-width": "0.8"}
    assert use.get("href") == "#p-m1"
    assert drawn.find("g").get("clip-path") == "url(#p-c1)"
    assert (text.get("font-size"), text.get("font-weight"), text.text) == ("10", "700", "a < b⟨U+202E⟩")


def test_what_is_no_picture_is_refused():
    for text in ("no", "<html/>", "<svg/>"):
        with pytest.raises(ValueError, match="no SVG"):
            safe_svg(text, "", "")


def test_what_is_to_be_typed_stands_as_code_and_a_lone_backtick_as_itself(run):
    html = render_html(replace(run, warnings=("Type `adjudge test <x>` now.", "a ` alone", "`<b>` and ` more")))
    assert "Type <code>adjudge test &lt;x&gt;</code> now." in html
    assert "a ` alone" in html
    assert "<code>&lt;b&gt;</code> and ` more" in html
    assert "run <code>adjudge test " in html, "of the judge card"


def test_coverage_of_a_task_s_figures_is_told_from_that_of_the_run(run):
    html = render_html(replace(run, figures={"coverage": 0.5, "coverage[a]": 0.25}))
    assert '<th scope="row">coverage of these figures</th><td>0.500</td>' in html
    assert '<th scope="row">coverage</th>' not in html


def test_the_provenance_names_the_rubric_once_and_nothing_that_there_is_not(run):
    about = {"rubric": "synthetic/ward 0.1.0", "rubric hash": run.rubric.hash, "candidate": None, "judge": "isolated"}
    page = Page(render_html(replace(run, provenance=about)))
    told = page.text.partition("Provenance")[2]
    assert page.text.count(run.rubric.hash) == 1
    assert told.count("synthetic/ward 0.1.0") == 1
    assert "candidate" not in told
    bare = Page(render_html(replace(run, rubric=None, provenance={"rubric": "each submission's own"}))).text
    assert bare.count("each submission's own") == 1
