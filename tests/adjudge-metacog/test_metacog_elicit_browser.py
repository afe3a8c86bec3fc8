"""The page of an elicitation in a real browser."""

from __future__ import annotations

import pytest

from adjudge_metacog.elicit.store import Store

from .elicit_script import CASES
from .test_metacog_elicit_page import served

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(browser):
    """A tab that keeps what its console says."""
    context = browser.new_context(viewport={"width": 380, "height": 800})
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    context.close()


def test_a_person_goes_the_whole_way_with_the_keyboard_under_the_page_s_own_policy(tab, tmp_path):
    path = tmp_path / "talk.jsonl"
    with served(path) as page:
        tab.goto(page.url)
        tab.get_by_role("button", name=CASES[0].text).press("Enter")
        tab.get_by_label("Your answer").fill("That he decides.\nHimself.")
        tab.get_by_role("button", name="Send").press("Enter")
        assert tab.get_by_role("heading", name="Is this what you mean?").is_visible()
        tab.get_by_role("button", name="This is what I mean").press("Enter")
        tab.get_by_role("button", name="Answer the closing questions now").press("Enter")
        tab.get_by_role("button", name="Yes").press("Enter")
        tab.get_by_role("button", name="I am not sure").press("Enter")
        assert tab.get_by_role("heading", name="Thank you, that is all").is_visible()
    person = Store(path).state.people["ana"]
    assert person.turns[0].text == "That he decides.\nHimself."
    assert (person.closed.represented, person.closed.fair) == ("yes", "unsure")
    assert [line for line in tab.said if "favicon" not in line] == []


def test_the_policy_lets_the_style_in_and_no_script_and_nothing_is_wider_than_a_phone(tab, tmp_path):
    with served(tmp_path / "talk.jsonl") as page:
        tab.goto(page.url)
        assert tab.evaluate("getComputedStyle(document.querySelector('button')).borderRadius") != "0px"
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        with pytest.raises(Exception, match="violates"):
            tab.add_script_tag(content="window.taken = true")
        assert tab.evaluate("window.taken") is None


def test_another_site_cannot_frame_or_post_to_the_page(tab, browser, tmp_path):
    path = tmp_path / "talk.jsonl"
    with served(path) as page:
        form = f'<form method="post" action="{page.url}"><button name="value" value="garage">x</button></form>'
        tab.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
        tab.goto("http://evil.example/")
        tab.get_by_role("button").click()
        assert tab.get_by_text("another site asks").is_visible()
    assert Store(path).state.people == {}
