"""The picture of the graph: where things stand, what the page holds, and how it behaves in a real browser."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_metacog.changes import Author
from adjudge_metacog.events import identity
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.log import change, read
from adjudge_metacog.nodes import Evidence, Ground, Scope
from adjudge_metacog.view.layout import by_number, laid_out
from adjudge_metacog.view.page import MOST_NODES, rendered

from .conftest import ANA, edge, rule

HOSTILE = "When </script><img src=x onerror=alert(1)>, do <b>this</b> {{data}}, because &lt;script&gt;"


def graph_of(*changes) -> RuleGraph:
    graph = RuleGraph()
    for make in changes:
        for event in make(graph):
            graph.apply(identity(event), event)
    return graph


def ground(kind, name, domain="finance"):
    return lambda graph: ANA.adds(graph, Ground(kind=kind, id=name, text=f"The {kind} {name}", domain=domain))


def adds(name, **fields):
    return lambda graph: ANA.adds(graph, rule(name, **fields))


def links(kind, source, target):
    return lambda graph: ANA.links(graph, edge(kind, source, target))


FINANCE = [
    ground("scenario", "lending"),
    ground("principle", "honesty"),
    links("applies_to", "honesty", "lending"),
    adds("loan", scope=Scope(domain="finance", scenarios=("lending",)), severity=3),
    links("derived_from", "loan", "honesty"),
    ground("case", "case-1"),
    links("derived_from", "loan", "case-1"),
    adds("free"),
]


def titles_around(graph, name):
    whole = laid_out(graph)
    boxes = [box for _, box in whole.inside()]
    x, y = next(box.places[name] for box in boxes if name in box.places)
    around = [b for b in boxes if b.x <= x < b.x + b.width and b.y <= y < b.y + b.height]
    return [box.title for box in around]


def test_a_rule_and_its_case_stand_in_their_principle_scenario_and_domain():
    graph = graph_of(*FINANCE)
    assert titles_around(graph, "loan") == ["finance", "lending", "honesty"]
    assert titles_around(graph, "case-1") == ["finance", "lending", "honesty"]
    assert titles_around(graph, "free") == ["any domain"]


def test_a_domain_named_like_a_node_is_another_box():
    graph = graph_of(ground("scenario", "finance"), adds("loan", scope=Scope(domain="finance", scenarios=("finance",))))
    assert titles_around(graph, "loan") == ["finance", "finance"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from(["rule", "case"])), max_size=40))
def test_nothing_stands_on_anything_else(what):
    changes = []
    for n, (domain, scenario, kind) in enumerate(what):
        scope = Scope(domain=f"d{domain}", scenarios=(f"s{domain}-{scenario}",))
        changes.append(adds(f"n{n}", scope=scope) if kind == "rule" else ground("case", f"n{n}", f"d{domain}"))
    whole = laid_out(graph_of(*changes))
    boxes = [box for _, box in whole.inside()]
    for box in (whole, *boxes):
        cards = [(x, y, 150, 44) for x, y in box.places.values()]
        parts = cards + [(inner.x, inner.y, inner.width, inner.height) for inner in box.boxes.values()]
        for i, (x, y, w, h) in enumerate(parts):
            assert box.x <= x
            assert x + w <= box.x + box.width
            assert box.y <= y
            assert y + h <= box.y + box.height
            assert not any(x < X + W and X < x + w and y < Y + H and Y < y + h for X, Y, W, H in parts[:i])
    assert sum(len(box.places) for box in boxes) == len(what)


def test_numbers_in_names_sort_as_numbers():
    huge = "9" * 5000
    assert sorted(["r10", "r09", huge, "r", "a2b"], key=by_number) == [huge, "a2b", "r", "r09", "r10"]


def test_of_a_long_history_the_last_events_are_told():
    graph = graph_of(*FINANCE, *(lambda graph, n=n: ANA.uses(graph, "loan", f"item-{n}") for n in range(205)))
    (loan,) = (node for node in data_of(rendered(graph, "x"))["nodes"] if node["id"] == "loan")
    assert len(loan["history"]) == 201
    assert loan["history"][0]["what"] == "6 earlier events"
    assert loan["uses"] == 205


def data_of(page: str):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_holds_what_is_known_of_each_node(path):
    change(
        path,
        lambda graph: ANA.measures(
            graph, "loan", Evidence(measure="improvement", split="gate", value=0.2, low=0.1, high=0.3, n=9)
        ),
    )
    data = data_of(rendered(read(path).graph, "rules.jsonl"))
    loan, old = data["nodes"]
    assert (loan["id"], loan["status"], loan["held"], loan["uses"]) == ("loan", "validated", [], 1)
    assert loan["evidence"][0]["low"] == 0.1
    assert [event["what"] for event in loan["history"]] == ["added", "moved to validated: measured", "used", "measured"]
    assert old["held"] == ["it is proposed"]
    assert data["edges"] == [[1, 0, "refines"]]
    assert rendered(read(path).graph, "rules.jsonl") == rendered(read(path).graph, "rules.jsonl")


def test_a_page_of_too_many_nodes_is_refused_with_what_to_do():
    graph = RuleGraph()
    graph.records = dict.fromkeys(map(str, range(MOST_NODES + 1)))
    with pytest.raises(InputError, match=r"5,001 nodes; .*--domain or --near"):
        rendered(graph, "rules.jsonl")


def test_an_empty_graph_has_a_page():
    assert data_of(rendered(RuleGraph(), "empty.jsonl"))["nodes"] == []


# In a real browser


@pytest.fixture(scope="module")
def many():
    """1,000 rules with cases, edges and evidence."""
    ben, changes = Author("Ben", "2026-01-02"), [*FINANCE]
    for n in range(999):
        scope = Scope(domain=("finance", "education")[n % 2], scenarios=(f"s{n % 20}",), tags=(f"tag{n % 7}",))
        changes.append(adds(f"r{n}", about=f"matter {n}", scope=scope, severity=1 + n % 3))
    for n in range(0, 999, 5):
        found = Evidence(measure="improvement", split="gate", cycle=1, value=0.25, low=0.125, high=0.375, n=80)
        changes.append(lambda graph, n=n, found=found: ben.measures(graph, f"r{n}", found))
        changes.append(lambda graph, n=n: ben.moves(graph, f"r{n}", "validated", "passed the gate"))
    for n in range(0, 900, 10):
        changes += [ground("case", f"c{n}"), links("derived_from", f"r{n}", f"c{n}")]
        changes.append(links("refines", f"r{n}", f"r{n + 4}"))
    changes.append(adds("hostile", text=HOSTILE))
    return rendered(graph_of(*changes), "<i>rules</i>.jsonl")


@pytest.fixture
def opened(browser, many, tmp_path):
    """The page, opened from its file without a network; it must say nothing on the console and open no dialog."""
    file = tmp_path / "rules.html"
    file.write_text(many, "utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.address, page.said = file.as_uri(), said
    yield page
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {file.as_uri()}
    context.close()


def count(page) -> str:
    return page.inner_text("#count")


def settled(page):
    """What the canvas shows once the frame that is due is painted."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("document.getElementById('canvas').toDataURL()")


@pytest.mark.browser
def test_a_thousand_rules_open_offline_and_are_filtered(opened):
    assert count(opened) == "1,095 of 1,095 shown"
    opened.fill("#text", "12, MATTER")
    assert count(opened) == "10 of 1,095 shown"
    opened.fill("#text", "")
    opened.select_option("#domain", "education")
    opened.uncheck("#statuses input[value=proposed]")
    assert count(opened) == "100 of 1,095 shown"
    opened.uncheck("#severities input[value='1']")
    assert count(opened) == "67 of 1,095 shown"
    opened.click("button[type=reset]")
    opened.uncheck("#kinds input[value=rule]")
    assert count(opened) == "93 of 1,095 shown"
    opened.click("button[type=reset]")
    opened.select_option("#scenario", "lending")
    assert opened.locator("#nodes b").all_inner_texts() == ["loan", "lending"]
    opened.click("button[type=reset]")
    opened.check("#active")
    assert count(opened) == "200 of 1,095 shown"


@pytest.mark.browser
def test_a_rule_is_chosen_and_tells_its_evidence_cases_edges_and_history(opened):
    opened.fill("#text", "r10")
    opened.click("#nodes button:has-text('r10 ')")
    details = opened.inner_text("#details")
    for said in ("r10 (rule)", "May guide.", "0.250 [0.125, 0.375]", "on gate; cycle 1", "80"):
        assert said in details
    assert "derived from c10 case: The case c10" in re.sub(r"\s+", " ", details)
    assert "refines r14" in re.sub(r"\s+", " ", details)
    assert "moved to validated: passed the gate (2026-01-02 by Ben)" in details
    opened.click("#details button:has-text('r14')")
    assert "is refined by r10" in re.sub(r"\s+", " ", opened.inner_text("#details"))
    assert opened.evaluate("location.hash") == "#r14"
    assert opened.evaluate("document.activeElement.id") == "details"


@pytest.mark.browser
def test_a_page_opened_at_a_node_shows_it_in_the_middle_of_the_picture(opened):
    at_node = opened.context.new_page()
    at_node.goto(opened.address + "#r25")
    drawn = settled(at_node)
    at_node.keyboard.press("Escape")
    assert settled(at_node) != drawn
    box = at_node.locator("#canvas").bounding_box()
    at_node.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert at_node.inner_text("#details h2") == "r25 (rule)"
    assert settled(at_node) == drawn


@pytest.mark.browser
def test_a_click_in_the_picture_chooses_what_stands_there_and_escape_lets_go(opened):
    opened.goto(opened.address + "#r25")
    opened.wait_for_selector("h2:has-text('r25 (rule)')")
    opened.evaluate("document.getElementById('details').replaceChildren()")
    box = opened.locator("#canvas").bounding_box()
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.keyboard.press("Escape")
    assert opened.inner_text("#details") == "Nothing is chosen."
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert opened.inner_text("#details h2") == "r25 (rule)"


@pytest.mark.browser
def test_the_picture_zooms_and_moves_by_wheel_mouse_keys_and_buttons(opened):
    seen = [settled(opened)]
    box = opened.locator("#canvas").bounding_box()
    opened.mouse.move(box["x"] + 200, box["y"] + 200)
    opened.mouse.wheel(0, -400)
    seen.append(settled(opened))
    opened.mouse.down()
    opened.mouse.move(box["x"] + 260, box["y"] + 230)
    opened.mouse.up()
    seen.append(settled(opened))
    opened.focus("#canvas")
    for key in ("ArrowLeft", "ArrowDown", "+"):
        opened.keyboard.press(key)
        seen.append(settled(opened))
    opened.click("#out")
    seen.append(settled(opened))
    assert len(set(seen)) == len(seen)
    opened.keyboard.press("Tab")
    opened.click("#fit")
    assert settled(opened) == seen[0]


@pytest.mark.browser
def test_the_list_is_used_with_the_keyboard_alone(opened):
    opened.focus("#more")
    opened.keyboard.press("Shift+Tab")
    assert opened.evaluate("document.activeElement.innerText").startswith("free ")
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Enter")
    assert opened.inner_text("#details h2") == "hostile (rule)"
    opened.keyboard.press("End")
    opened.keyboard.press("ArrowDown")
    assert opened.locator("#nodes li").count() == 400
    opened.keyboard.press("Home")
    assert opened.evaluate("document.activeElement.innerText").startswith("free ")
    opened.click("#more")
    assert opened.locator("#nodes li").count() == 600
    assert opened.inner_text("#said") == "hostile is shown under Details"


@pytest.mark.browser
def test_text_of_a_rule_is_never_markup(opened):
    opened.click("#nodes button:has-text('hostile')")
    assert HOSTILE in opened.inner_text("#details")
    assert opened.locator("img, i, main b:not(#nodes b)").count() == 0
    assert opened.title() == "<i>rules</i>.jsonl: rule graph"


@pytest.mark.browser
def test_the_policy_lets_nothing_run_that_is_not_of_the_page(opened):
    opened.evaluate("document.body.append(Object.assign(document.createElement('script'), {id: 'x'}))")
    assert opened.evaluate(
        """() => new Promise((done) => {
          document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
          document.getElementById('x').textContent = 'window.ran = 1';
        })"""
    ).startswith("script-src")
    assert opened.evaluate("window.ran === undefined")
    (refused,) = opened.said
    assert "Content Security Policy" in refused
    opened.said.clear()


@pytest.mark.browser
def test_dark_and_light_differ_and_nothing_is_wider_than_a_telephone(opened):
    light = settled(opened)
    opened.emulate_media(color_scheme="dark")
    assert settled(opened) != light
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.click("#nodes button:has-text('r0 ')")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
