"""The labelling page in a real browser: by keyboard and by click, killed and gone on with, hostile text and all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from adjudge.cli import main
from adjudge_validity.labels import read_labels

pytestmark = pytest.mark.browser

HOSTILE = (
    "</div></form><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
    "<svg onload='window.pwned = 3'><a href='javascript:window.pwned = 4'>please</a>"
)
TEXTS = {f"s{i}": ("please come" if i % 2 else "come") + (" now" * (i % 7)) for i in range(22)}
TEXTS |= {"hostile": HOSTILE, "arabic": "من فضلك تعال يوم الاثنين", "long": "Please come on Monday. " * 2_000}


PACK = """
id: letters
version: "1"
title: Letters
draft: true
criteria:
  - {id: polite, text: The letter is polite., options: {check: {kind: contains, value: please}}}
  - {id: short, text: The letter is short., options: {check: {kind: length, max: 5}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run, judged in a process of its own: in this one the browser's event loop is running."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "letters.yaml").write_text(PACK)
    (folder / "d.jsonl").write_text("".join(json.dumps({"id": i, "output": text}) + "\n" for i, text in TEXTS.items()))
    judge = [sys.executable, "-m", "adjudge", "judge", "d.jsonl", "--rubric", "letters.yaml", "--judge", "rules"]
    subprocess.run([*judge, "--out", "run"], cwd=folder, check=True, capture_output=True)
    return folder / "run"


@pytest.fixture
def page(browser):
    """A new page that holds everything it complains of."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


def said(path):
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def place(page):
    return int(page.url.rsplit("/", 1)[1])


def settle(page):
    """Wait until the page takes the next key."""
    page.locator("body:not([aria-busy])").wait_for()


def press(page, key, path):
    """Press a key, and see that one more line was written when the page takes the next."""
    before = len(said(path))
    with page.expect_response(lambda reply: reply.request.method == "POST"):
        page.keyboard.press(key)
    settle(page)
    assert len(said(path)) == before + 1


def test_twenty_submissions_are_labelled_and_a_killed_server_loses_none(page, run, labelling, tmp_path):
    path = tmp_path / "l.jsonl"
    arguments = [run, "--rater", "ann", "--out", path, "-n", len(TEXTS)]
    server = labelling(*arguments)
    page.goto(server.url)
    given = []
    for number in range(12):
        assert place(page) == number + 1
        name = page.locator("h1 bdi").inner_text()
        for criterion, key in (("polite", "2" if number % 3 else "1"), ("short", "1")):
            press(page, key, path)
            given.append((name, criterion, {"1": "unmet", "2": "met"}[key]))
        page.wait_for_url(f"**/at/{number + 2}")
    press(page, "2", path)
    given.append((page.locator("h1 bdi").inner_text(), "polite", "met"))
    server.end(signal.SIGKILL)

    page.keyboard.press("1")
    page.get_by_text("Not saved: adjudge no longer answers").wait_for()
    assert [(row["submission"], row["criterion"], row["level"]) for row in said(path)] == given

    server = labelling(*arguments)
    page.goto(server.url)
    assert place(page) == 13
    assert page.locator(".criterion.current").get_attribute("data-criterion") == "short"
    press(page, "1", path)
    for number in range(13, 20):
        page.wait_for_url(f"**/at/{number + 1}")
        page.locator(".criterion[data-criterion=polite] .level", has_text="Yes").click()
        page.locator(".criterion[data-criterion=polite].answered").wait_for()
        page.locator(".criterion[data-criterion=short] .level", has_text="Cannot tell").click()
    page.wait_for_url("**/at/21")
    assert page.locator("#progress").inner_text().startswith("20 of 25")
    rows = said(path)
    assert [(row["submission"], row["criterion"], row.get("level")) for row in rows][: len(given)] == given
    assert len(rows) == 40
    assert len({row["submission"] for row in rows}) == 20
    assert len(read_labels(path)) == 33
    assert main(["label", "--verify", str(path)]) == 0
    server.end()


def test_undo_skip_and_moving_work_by_key(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run)
    page.goto(server.url)
    press(page, "2", path)
    press(page, "u", path)
    assert page.locator(".answered").count() == 0
    press(page, "s", path)
    page.wait_for_url("**/at/2")
    page.keyboard.press("j")
    assert page.locator(".criterion.current").get_attribute("data-criterion") == "short"
    press(page, "c", path)
    page.keyboard.press("p")
    page.wait_for_url("**/at/1")
    page.keyboard.press("n")
    page.wait_for_url("**/at/2")
    assert [row["kind"] for row in said(path)] == ["label", "undo", "skip", "cannot-tell"]
    assert page.complaints == []


def test_a_correction_goes_through_the_criteria_and_stays_until_next(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run)
    page.goto(server.url)
    press(page, "1", path)
    press(page, "2", path)
    page.wait_for_url("**/at/2")
    page.keyboard.press("p")
    page.wait_for_url("**/at/1")
    press(page, "2", path)
    assert page.locator(".criterion.current").get_attribute("data-criterion") == "short"
    press(page, "1", path)
    assert place(page) == 1
    assert page.locator(".next").evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url("**/at/2")
    rows = said(path)
    assert len({row["submission"] for row in rows}) == 1
    assert [(row["criterion"], row["level"]) for row in rows] == [
        ("polite", "unmet"),
        ("short", "met"),
        ("polite", "met"),
        ("short", "unmet"),
    ]


def test_keys_typed_into_a_reason_choose_nothing(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run)
    page.goto(server.url)
    form = page.locator(".criterion").first
    form.locator("summary").click()
    form.locator("input[name=reason]").fill("")
    page.keyboard.type("12 cups")
    page.keyboard.press("Enter")
    assert said(path) == []
    form.locator(".level", has_text="Yes").click()
    page.locator(".answered").wait_for()
    assert [(row["level"], row["reason"]) for row in said(path)] == [("met", "12 cups")]


def test_hostile_text_runs_no_script(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run, "<script>window.pwned = 5</script>")
    draw = json.loads(path.read_text())["submissions"]
    at = [one["submission"] for one in draw].index("hostile") + 1
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}at/{at}")
    page.keyboard.press("2")
    page.locator(".answered").wait_for()
    assert page.locator(".judged .text").inner_text() == HOSTILE
    assert page.evaluate("window.pwned") is None
    assert page.locator(".evidence script, .evidence img, .evidence svg, .evidence a").count() == 0
    assert all(url.startswith((server.url, "data:")) for url in asked)
    assert page.complaints == []


def test_the_browser_is_refused_without_the_token(page, run, serve, tmp_path):
    server = serve(run)
    host = server.url.split("/")[2]
    reply = page.goto(f"http://{host}/at/1")
    assert reply.status == 403
    assert "lacks its token" in page.inner_text("body")
    # A page of another origin can neither read the labelling page nor send it a form.
    page.goto("data:text/html,<p>elsewhere</p>")
    url = json.dumps(f"{server.url}at/1")
    assert page.evaluate(f"fetch({url}).then(() => 'read', () => 'refused')") == "refused"
    sent = f"fetch({url}, {{method: 'POST', mode: 'no-cors', body: new URLSearchParams({{act: 'skip'}})}})"
    page.evaluate(f"{sent}.then(() => 'sent', () => 'refused')")
    assert said(tmp_path / "l.jsonl") == []


def test_without_scripts_the_forms_do_the_same(browser, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    page.locator(".criterion[data-criterion=polite] .level", has_text="Yes").click()
    page.locator(".criterion[data-criterion=short] .level", has_text="Cannot tell").click()
    page.wait_for_url("**/at/2")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/at/1")
    context.close()
    assert [row["kind"] for row in said(path)] == ["label", "cannot-tell", "undo"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(browser, run, serve, tmp_path, scheme):
    server = serve(run)
    draw = json.loads((tmp_path / "l.jsonl").read_text())["submissions"]
    context = browser.new_context(
        viewport={"width": 360, "height": 700}, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    for name in ("hostile", "arabic", "long"):
        page.goto(f"{server.url}at/{[one['submission'] for one in draw].index(name) + 1}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("scrollY") == 0
    sizes = page.evaluate("[...document.querySelectorAll('button:not([hidden]), .button')].map(b => b.offsetHeight)")
    assert min(sizes) >= 44
    context.close()


def test_right_to_left_text_starts_on_the_right(page, run, serve, tmp_path):
    server = serve(run)
    draw = json.loads((tmp_path / "l.jsonl").read_text())["submissions"]
    page.goto(f"{server.url}at/{[one['submission'] for one in draw].index('arabic') + 1}")
    assert page.locator(".judged .text").evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_the_verdict_is_not_on_the_page_unless_asked_for(page, run, serve, tmp_path):
    server = serve(run)
    page.goto(server.url)
    assert page.locator(".machine").count() == 0
    assert "judge:" not in page.content()
    server = serve(run, name="seen.jsonl", show_verdict=True)
    page.goto(server.url)
    assert page.locator(".machine").count() == 2


def test_a_supervisor_agrees_edits_and_signs_off(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run, "sup", purpose="review")
    page.goto(server.url)
    press(page, "a", path)
    page.locator(".criterion[data-criterion=short].current").wait_for()
    page.keyboard.press("e")
    page.get_by_role("alert").get_by_text("choose a level of 'short'").wait_for()
    short = page.locator(".criterion[data-criterion=short]")
    page.keyboard.press(short.locator("input[type=radio]").first.get_attribute("data-key"))
    page.keyboard.type("Longer than five words: 2 lines.")
    press(page, "Enter", path)
    short.get_by_text("edited by sup").wait_for()
    assert page.locator(".next").evaluate("e => e === document.activeElement")
    short.get_by_role("button", name="Sign off").click()
    short.get_by_text("signed off by sup").wait_for()
    rows = said(path)
    assert [row["kind"] for row in rows] == ["agree", "edit", "sign-off"]
    assert rows[1]["reason"] == "Longer than five words: 2 lines."
    assert rows[2]["level"] == rows[1]["level"] != rows[1]["machine"]["level"]
    assert place(page) == 1


def test_a_reviewer_who_chooses_the_judge_s_level_and_types_why_agrees_and_signs_nothing(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run, "sup", purpose="review")
    page.goto(server.url)
    form = page.locator(".criterion[data-criterion=polite]")
    own = form.locator(".level", has_text="the judge's").locator("input")
    page.keyboard.press(own.get_attribute("data-key"))
    page.keyboard.type("not polite, 2 o Ok cost")
    assert said(path) == []
    press(page, "Enter", path)
    form.get_by_text("agree").first.wait_for()
    (row,) = said(path)
    assert (row["kind"], row["reason"]) == ("agree", "not polite, 2 o Ok cost")
    assert row["level"] == row["machine"]["level"]


def test_words_typed_after_a_click_on_a_level_say_nothing(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run, "sup", purpose="review")
    page.goto(server.url)
    page.locator(".criterion .level").first.click()
    page.keyboard.type("a cause")
    assert said(path) == []
    assert place(page) == 1


def test_no_word_signs_off_and_control_with_enter_does(page, run, serve, tmp_path):
    path = tmp_path / "l.jsonl"
    server = serve(run, "sup", purpose="review")
    page.goto(server.url)
    for key in "oOoO":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert said(path) == []
    press(page, "Control+Enter", path)
    page.locator(".criterion[data-criterion=polite]").get_by_text("signed off by sup").wait_for()
    assert [(row["kind"], row["criterion"]) for row in said(path)] == [("sign-off", "polite")]
