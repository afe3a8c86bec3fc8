"""The page in a real browser: nothing of a submission acts, everything can be found and read, with keys alone too."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from adjudge.interfaces import Plot, Section, Table
from adjudge.report import render_html
from adjudge.report.exchanges import Turn
from adjudge.report.people import People, Review, Reviewed
from adjudge.report.text import visible
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge.verdict import Quote

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=2'><svg onload='window.hacked=3'>"
    "<iframe srcdoc='<script>parent.hacked=4</script>'></iframe><style>*{display:none!important}</style>"
    "<a href='javascript:window.hacked=5'>x</a><base href='https://evil.example/'>"
    "<meta http-equiv=refresh content='0;url=https://evil.example/'><!--<script>"
    "\u202egnirts desrever\u202c \u2066isolated\u2069 zero\u200bwidth \U000e0041 \x00 \u2028 ${hacked} {{hacked}}"
)


@pytest.fixture
def opened(browser, tmp_path: Path):
    """Open a page in a tab that records what it loads and what goes wrong."""
    tabs = []

    def open_page(html: str, **options):
        path = tmp_path / "report.html"
        path.write_text(html, "utf-8")
        tab = browser.new_page(**options)
        tab.loaded, tab.faults = [], []
        tab.on("request", lambda request: tab.loaded.append(request.url))
        tab.on("console", lambda message: tab.faults.append(message.text))
        tab.on("pageerror", lambda error: tab.faults.append(str(error)))
        tab.on("dialog", lambda dialog: tab.faults.append(dialog.message) or dialog.dismiss())
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-ready]", timeout=20_000)
        tabs.append(tab)
        return tab

    yield open_page
    for tab in tabs:
        tab.close()


def hostile(run, make):
    """A run with the attack in every place that holds free text."""
    verdict, result = make
    rubric = Rubric.model_validate(
        {
            "id": "x/y",
            "version": HOSTILE,
            "title": HOSTILE,
            "criteria": [{"id": "c", "text": HOSTILE, "feedback": HOSTILE}],
        }
    )
    item = Submission(
        id=HOSTILE,
        input=HOSTILE,
        output=HOSTILE,
        labels=(Label(criterion="c", level="met", rater=HOSTILE),),
        metadata={HOSTILE: HOSTILE},
    )
    words = {"explanation": HOSTILE, "detail": HOSTILE, "flags": (HOSTILE,), "judge": HOSTILE, "fingerprint": "f"}
    said = verdict(HOSTILE, "c", "unmet", score=0.0, quotes=(Quote(text=HOSTILE, start=5, end=60),), **words)
    turns = {"f": (Turn((HOSTILE,) * 4, (("user", HOSTILE),), HOSTILE),)}
    return replace(
        run,
        title=HOSTILE,
        rubric=rubric,
        items=[item],
        results=[result(HOSTILE, said, value=0.0, note=HOSTILE)],
        warnings=(HOSTILE,),
        figures={HOSTILE: HOSTILE},
        provenance={HOSTILE: HOSTILE},
        exchanges=lambda _: turns,
        people=reviewed(HOSTILE, "c", HOSTILE),
    )


def reviewed(submission, criterion, words):
    """One verdict that was edited and signed off, with these words wherever people write."""
    common = {"time": "2026-11-29T03:00:00.000Z", "level": "unmet", "place": f"{words}, line 2; the chain holds"}
    reviews = (
        Review(kind="edit", rater=words, reason=words, **common),
        Review(kind="sign-off", rater="head", other=words, **common),
    )
    found = Reviewed(reviews=reviews, level="unmet", edited_by=words, signed_by=words)
    return People(reviews={(submission, criterion, 0): found}, files=(words,))


def test_a_review_stands_at_its_verdict_and_is_found(opened, run):
    tab = opened(render_html(replace(run, people=reviewed("b", "escalates", "chief"))))
    tab.get_by_label("Look at").select_option(label="reviewed verdicts")
    wait_for(tab, "1 of 3 submissions, 1 verdicts that fit")
    wait_for_detail(tab, "b")
    shown = tab.locator("#detail .reviews")
    assert shown.count() == 1
    for words in (
        "chief edited it to unmet (No)",
        "2026-11-29 03:00 UTC · chief, line 2; the chain holds",
        "head signed off unmet (No); this is about another verdict, chief",
        "Stands: unmet (No), edited by chief, signed off by chief",
    ):
        assert words in shown.inner_text()
    assert "1 of 9 verdicts reviewed by chief: 1 edited." in tab.locator("main").inner_text()
    assert tab.faults == []


def test_without_reviews_one_cannot_look_for_them(opened, run):
    tab = opened(render_html(run))
    assert tab.locator("#look option:not([hidden])").count() == 5


def test_nothing_of_a_hostile_submission_runs_loads_or_changes_the_page(opened, run, make):
    section = Section(
        title=HOSTILE,
        lead=HOSTILE,
        parts=(Plot(title=HOSTILE, svg="<svg xmlns='http://www.w3.org/2000/svg'/>", says=HOSTILE),),
    )
    tab = opened(render_html(hostile(run, make), sections=[section]))
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    tab.wait_for_timeout(100)
    assert tab.evaluate("window.hacked") is None
    assert tab.faults == []
    assert tab.loaded == [tab.url]
    assert tab.locator("#detail").locator("script, img, iframe, style, base, meta, a, svg").count() == 0
    assert tab.locator("script:not([type])").count() == 1
    assert tab.locator("#detail .text").first.is_visible()
    shown = tab.locator("#detail").inner_text()
    assert "<script>window.hacked=1</script>" in shown
    for hidden in ("⟨U+202E⟩", "⟨U+2066⟩", "⟨U+200B⟩", "⟨U+E0041⟩", "⟨U+0000⟩", "⟨U+2028⟩"):
        assert hidden in shown
    assert "\u202e" not in tab.evaluate("document.documentElement.textContent")
    assert tab.locator("#list .name").inner_text() == " ".join(visible(HOSTILE).split())


def test_the_policy_blocks_a_script_and_a_style_that_are_not_the_page_s_own(opened, run):
    html = render_html(run)
    tab = opened(
        html.replace(
            "</body>", "<script>window.hacked=1</script><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></body>"
        )
    )
    assert tab.evaluate("window.hacked") is None
    assert len([fault for fault in tab.faults if "Content Security Policy" in fault]) == 2
    with pytest.raises(Exception, match="Failed to fetch"):
        tab.evaluate("fetch('https://evil.example/')")


def test_a_submission_shows_texts_quotes_and_the_levels_of_judge_and_people_side_by_side(opened, run):
    tab = opened(render_html(run))
    assert tab.locator("#detail h3").inner_text() == "a"
    assert tab.locator("#detail mark").all_inner_texts() == ["Check the pulse, ", "then call the ", "docto"]
    first = tab.locator("#detail .verdict").first
    assert first.locator(".levels li").all_inner_texts() == ["judge\nmet (Yes)", "r1\nunmet (No)"]
    assert first.locator(".flag").all_inner_texts() == ["differs from a human label", "not found in the output"]
    assert tab.faults == []


def test_prompt_and_reply_unfold(opened, run, make):
    verdict, result = make
    turns = {"f": (Turn(("Be a nurse.", "In. ", "Out. ", "Which level?"), (), "expert"),)}
    said = verdict("a", "depth", "expert", fingerprint="f")
    tab = opened(render_html(replace(run, items=run.items[:1], results=[result("a", said)], exchanges=lambda _: turns)))
    tab.get_by_text("What the judge was asked, and its reply").click()
    shown = tab.locator("#detail details.text").first.inner_text()
    for words in ("Be a nurse.", "In. Out. Which level?", "Reply", "expert"):
        assert words in shown


def names(tab):
    return tab.locator("#list .name").all_inner_texts()


def wait_for(tab, count):
    expect(tab.locator("#count")).to_have_text(re.compile(f"^{re.escape(count)}"))


def wait_for_detail(tab, name):
    expect(tab.locator("#detail h3")).to_have_text(name)


def test_submissions_are_found_by_words_criterion_answer_and_what_deserves_a_look(opened, run):
    tab = opened(render_html(run))
    assert tab.locator("#count").inner_text() == "3 of 3 submissions, 9 verdicts"
    tab.get_by_label("Search").fill("WAIT see")
    wait_for(tab, "1 of 3")
    assert names(tab) == ["b"]
    tab.get_by_role("button", name="Show all").click()
    wait_for(tab, "3 of 3")
    tab.get_by_label("Answer").select_option(label="unscored: parse")
    wait_for(tab, "1 of 3 submissions, 1 verdicts that fit")
    assert names(tab) == ["b"]
    tab.get_by_label("Criterion").select_option(label="harm")
    wait_for(tab, "0 of 3")
    assert tab.locator("#detail").inner_text() == "No submission fits these filters."
    tab.get_by_role("button", name="Show all").click()
    wait_for(tab, "3 of 3")
    tab.get_by_label("Look at").select_option(label="where people say otherwise")
    wait_for(tab, "1 of 3")
    assert names(tab) == ["a"]
    tab.get_by_role("button", name="Show all").click()
    wait_for(tab, "3 of 3")
    tab.get_by_label("Order").select_option(label="lowest score first")
    wait_for_detail(tab, "c")
    assert names(tab) == ["c", "a", "b"]
    assert tab.faults == []


def test_the_list_is_walked_with_keys_and_tells_a_screen_reader_where_it_is(opened, run):
    tab = opened(render_html(run))
    tab.locator("#list").focus()
    for key, name in (
        ("ArrowDown", "b"),
        ("End", "c"),
        ("ArrowDown", "c"),
        ("Home", "a"),
        ("PageDown", "c"),
        ("ArrowUp", "b"),
    ):
        tab.keyboard.press(key)
        wait_for_detail(tab, name)
    active = tab.locator(f"#{tab.locator('#list').get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-selected") == "true"
    assert (active.get_attribute("aria-posinset"), active.get_attribute("aria-setsize")) == ("2", "3")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.textContent") == "b"


def test_every_control_has_a_name_and_every_region_a_heading(opened, run):
    tab = opened(render_html(run))
    tree = tab.locator("body").aria_snapshot()
    for words in (
        'searchbox "Search',
        'combobox "Criterion',
        'combobox "Appearance',
        'listbox "Submissions"',
        'button "Show all"',
    ):
        assert words in tree
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('input, select')].filter(one => !one.labels.length).map(one => one.id)"
    )
    assert unnamed == []
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_long_list_holds_few_elements_and_reaches_its_end(opened, run, make):
    verdict, result = make
    items = [Submission(id=f"s{n}", input="Q", output=f"text {n}") for n in range(1_000)]
    results = [result(item.id, verdict(item.id, "depth", "expert"), value=1.0) for item in items]
    tab = opened(render_html(replace(run, items=items, results=results)))
    assert tab.locator("#list .row").count() < 60
    tab.locator("#list").focus()
    tab.keyboard.press("End")
    wait_for_detail(tab, "s999")
    assert "text 999" in tab.locator("#detail").inner_text()
    assert tab.locator("#list .row").count() < 60


def background(tab):
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("device", ["light", "dark"])
def test_light_and_dark_follow_the_device_and_the_switch(opened, run, device):
    tab = opened(render_html(run), color_scheme=device)
    shades = {"light": "rgb(251, 250, 248)", "dark": "rgb(20, 23, 27)"}
    assert background(tab) == shades[device]
    for wanted, shade in shades.items():
        tab.get_by_label("Appearance").select_option(wanted)
        assert background(tab) == shade
    tab.get_by_label("Appearance").select_option("")
    assert background(tab) == shades[device]


def test_a_narrow_page_does_not_scroll_sideways(opened, run):
    tab = opened(render_html(run), viewport={"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [360, 1200])
def test_a_wide_table_scrolls_within_itself_by_keys_and_shows_that_it_goes_on(opened, run, width):
    columns = tuple(f"column number {n}" for n in range(30))
    wide = [dict.fromkeys(columns, 0.5)]
    table = Table(title="Wide", columns=columns, rows=(tuple(f"cell {n} of a row" for n in range(30)),))
    html = render_html(replace(run, figures={"wide": wide}), sections=[Section(title="S", lead="", parts=(table,))])
    tab = opened(html, viewport={"width": width, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for region in (tab.get_by_role("region", name="Figures of"), tab.get_by_role("region", name="Wide")):
        assert region.evaluate("one => one.scrollWidth > one.clientWidth")
        assert "linear-gradient" in region.evaluate("one => getComputedStyle(one).backgroundImage")
        region.focus()
        tab.keyboard.press("ArrowRight")
        tab.wait_for_function("one => one.scrollLeft > 0", arg=region.element_handle())
    cut = tab.evaluate(
        "[...document.querySelectorAll('table')].filter(one => !one.closest('.scroll')).map(one => one.textContent)"
    )
    assert cut == []


def test_on_a_narrow_page_a_choice_leads_to_the_texts_and_a_button_back(opened, run):
    tab = opened(render_html(run), viewport={"width": 360, "height": 740})
    tab.locator("#list .row").nth(1).click()
    wait_for_detail(tab, "b")
    expect(tab.locator("#detail h3")).to_be_in_viewport()
    tab.get_by_role("button", name="Back to the list").click()
    expect(tab.locator("#list")).to_be_focused()
    expect(tab.locator("#list")).to_be_in_viewport()


def test_several_judges_stand_side_by_side_and_can_be_told_apart(opened, run):
    tab = opened(render_html(run, replace(run, title="Second judge")))
    first = tab.locator("#detail .verdict").first
    assert first.locator(".levels .who").all_inner_texts() == ["Ward advice", "Second judge", "r1"]
    tab.locator("#run").select_option(label="Second judge")
    wait_for(tab, "3 of 3 submissions, 9 verdicts that fit")


def test_an_empty_run_says_so(opened, run):
    tab = opened(render_html(replace(run, items=[], results=[])))
    assert tab.locator("#count").inner_text() == "There are none."
    assert not tab.locator("#filters").is_visible()
    assert tab.faults == []
