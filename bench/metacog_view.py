"""How fast a browser shows a rule graph from its HTML file, and how fast it answers after zoom, pan and filter.

    python bench/metacog_view.py [--rules 1000] [--shots FOLDER]

Writes a graph of made-up rules, exports it as HTML and opens the file in the system's Chromium, offline. Prints the
size of the file, the time until the graph is drawn, and the time from an event until the frame that shows what it did
is painted, median and worst. With `--shots` it leaves pictures of the page there.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from metacog_retrieval import made_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Browser, Page

    from adjudge_metacog.events import Event
    from adjudge_metacog.graph import RuleGraph
    from adjudge_metacog.nodes import EdgeKind

AFTER_NEXT_FRAME = """async ([what, value]) => {
  const begin = performance.now();
  const box = document.getElementById('canvas').getBoundingClientRect();
  const at = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true};
  if (what === 'zoom') document.getElementById('canvas').dispatchEvent(new WheelEvent('wheel', {...at, deltaY: value}));
  if (what === 'pan') document.getElementById('canvas').dispatchEvent(
    new KeyboardEvent('keydown', {key: value > 0 ? 'ArrowRight' : 'ArrowLeft'}));
  if (what === 'filter') {
    document.getElementById('text').value = value;
    document.getElementById('text').dispatchEvent(new Event('input', {bubbles: true}));
  }
  // The first frame paints; the message after it is handled once that frame is done.
  await new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  return performance.now() - begin;
}"""


def graph_of(count: int) -> RuleGraph:
    """A graph of so many made-up rules in three domains, with scenarios, principles, cases, edges and evidence."""
    from adjudge_metacog.changes import Author
    from adjudge_metacog.events import identity
    from adjudge_metacog.graph import RuleGraph
    from adjudge_metacog.nodes import Edge, Evidence, Ground, Rule, Scope

    kinds: tuple[EdgeKind, ...] = ("refines", "refines", "supports", "except", "conflicts_with")
    draw, ana, graph = random.Random(0), Author("bench", "2026-01-01"), RuleGraph()

    def take(events: Iterable[Event]) -> None:
        for event in events:
            graph.apply(identity(event), event)

    for n, text in enumerate(made_up(count)):
        domain = ("finance", "education", "management")[n % 3]
        scenario, principle = f"{domain}-scenario-{n % 24 // 3}", f"{domain}-principle-{n % 72 // 3}"
        if n < 72:
            take(ana.adds(graph, Ground(kind="scenario", id=scenario, text="A made-up situation", domain=domain)))
            take(ana.adds(graph, Ground(kind="principle", id=principle, text="A made-up principle", domain=domain)))
            take(ana.links(graph, Edge(kind="applies_to", source=principle, target=scenario)))
        scope = Scope(domain=domain, scenarios=(scenario,))
        take(ana.adds(graph, Rule(kind="rule", id=f"r{n}", text=text, scope=scope, severity=1 + n % 3)))
        take(ana.links(graph, Edge(kind="derived_from", source=f"r{n}", target=principle)))
        if n % 4:
            shown = Evidence(measure="improvement", split="gate", value=0.2, low=0.05 + n % 7 / 100, high=0.35, n=120)
            take(ana.measures(graph, f"r{n}", shown))
            take(ana.moves(graph, f"r{n}", "validated", "passed the gate"))
        if n % 9 == 0:
            take(ana.moves(graph, f"r{n}", "retired", "helps no more"))
        if n % 5 == 0:
            take(ana.adds(graph, Ground(kind="case", id=f"c{n}", text=f"A made-up case: {text}", domain=domain)))
            take(ana.links(graph, Edge(kind="derived_from", source=f"r{n}", target=f"c{n}")))
        if n % 6 == 1 and n > 72:
            kind = draw.choice(kinds)
            take(ana.links(graph, Edge(kind=kind, source=f"r{n}", target=f"r{n - 72 * draw.randint(1, n // 72)}")))
    return graph


def measure(page: Page) -> dict[str, list[float]]:
    steps: dict[str, list[int] | list[str]] = {
        "zoom": [-240, -240, -240, 240, 240, 240] * 8,
        "pan": [1, -1] * 24,
        "filter": ["r1", "r12", "and", "", "r7"] * 8,
    }
    return {
        what: [page.evaluate(AFTER_NEXT_FRAME, [what, value]) for value in values] for what, values in steps.items()
    }


def shoot(browser: Browser, address: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
        page.goto(address)
        page.screenshot(path=folder / f"whole-{scheme}.png")
        page.click("text=r13 ")
        page.screenshot(path=folder / f"chosen-{scheme}.png")
        page.set_viewport_size({"width": 420, "height": 850})
        page.screenshot(path=folder / f"narrow-{scheme}.png", full_page=True)
        page.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    from adjudge_metacog.view.page import rendered

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--shots", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        path = Path(folder) / "rules.html"
        path.write_text(rendered(graph_of(given.rules), "rules.jsonl"), "utf-8")
        browser = running.chromium.launch(executable_path=shutil.which("chromium"))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
        page = context.new_page()
        page.goto(path.as_uri())
        opened = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        print(f"{given.rules:,} rules, {path.stat().st_size / 1e6:.1f} MB; drawn after {opened:.0f} ms")
        for what, times in measure(page).items():
            print(f"{what:<8}median {statistics.median(times):5.1f} ms, worst {max(times):5.1f} ms, n={len(times)}")
        if given.shots:
            shoot(browser, path.as_uri(), given.shots)
        browser.close()


if __name__ == "__main__":
    main()
