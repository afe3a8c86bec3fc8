"use strict";

/* Reads the graph, filters it, lists it in words and tells what is known of the node that is chosen.
   Text from the graph reaches the page through textContent and the canvas alone, so that none of it is markup. */
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, edges } = data;
  const find = (id) => document.getElementById(id);
  const isRule = (node) => node.kind === "rule";
  const number = new Intl.NumberFormat("en");

  const KINDS = ["rule", "case", "principle", "value", "scenario"];
  const STATUSES = ["proposed", "validated", "retired"];
  const SEVERITIES = ["1", "2", "3"];
  const INWARD = {
    derived_from: "is the ground of", refines: "is refined by", except: "has the exception", supports: "is supported by",
    conflicts_with: "is contradicted by", applies_to: "is where this applies:",
  };
  const OUTWARD = {
    derived_from: "derived from", refines: "refines", except: "is an exception to", supports: "supports",
    conflicts_with: "conflicts with", applies_to: "applies to",
  };

  for (const node of nodes) {
    node.look = isRule(node) ? (node.status === "validated" && node.held.length ? "held" : node.status) : "case";
    if (!["rule", "case"].includes(node.kind)) node.look = "ground";
    const said = [node.id, node.text, node.domain, ...(node.scenarios ?? []), ...(node.tags ?? []), ...(node.criteria ?? [])];
    node.words = said.join("\n").toLowerCase();
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  /* The filter */

  function addChecks(id, values) {
    const fieldset = find(id);
    for (const value of values) {
      const label = element("label");
      const box = element("input", undefined, { type: "checkbox", value, checked: "" });
      label.append(box, ` ${value}`);
      fieldset.append(label);
    }
  }

  function addOptions(id, values) {
    for (const value of [...new Set(values)].filter(Boolean).sort()) find(id).append(element("option", value, { value }));
  }

  const checked = (id) => new Set([...find(id).querySelectorAll("input:checked")].map((box) => box.value));

  function passing() {
    const kinds = checked("kinds");
    const statuses = checked("statuses");
    const severities = checked("severities");
    const [domain, scenario] = [find("domain").value, find("scenario").value];
    const words = find("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const onlyActive = find("active").checked;
    return (node) => kinds.has(node.kind)
      && (!domain || node.domain === domain)
      && (!scenario || node.id === scenario || (node.scenarios ?? []).includes(scenario))
      && (!isRule(node) || (statuses.has(node.status) && severities.has(String(node.severity))))
      && (!onlyActive || (isRule(node) && !node.held.length))
      && words.every((word) => node.words.includes(word));
  }

  function filter() {
    const shown = nodes.map(passing());
    open = shown.flatMap((is, index) => (is ? [index] : []));
    find("count").textContent = `${number.format(open.length)} of ${number.format(nodes.length)} shown`;
    list(PAGE);
    picture.show(shown);
  }

  /* The list: one stop of the Tab key, arrow keys within; a page of it at a time, since long ones are slow to lay out */

  const PAGE = 200;
  let open = [];
  let listed = 0;
  let entry = 0;
  const buttons = nodes.map((node, index) => {
    const button = element("button", undefined, { type: "button", tabindex: "-1", "data-look": node.look });
    const about = isRule(node) ? `rule, ${node.status}${node.held.length ? "" : ", may guide"}, severity ${node.severity}` : node.kind;
    button.append(element("b", node.id), " ", element("span", about, { class: "about" }));
    button.append(element("span", node.text.slice(0, 200), { class: "words" }));
    button.addEventListener("click", () => choose(index, true));
    return button;
  });
  const rows = buttons.map((button) => {
    const row = element("li");
    row.append(button);
    return row;
  });

  function list(length) {
    listed = Math.min(length, open.length);
    const shown = open.slice(0, listed);
    find("nodes").replaceChildren(...shown.map((index) => rows[index]));
    find("more").hidden = listed === open.length;
    find("more").textContent = `Show more (${number.format(open.length - listed)} left)`;
    enter(shown.includes(entry) ? entry : shown[0]);
  }

  function enter(index, focus) {
    if (index === undefined) return;
    buttons[entry].setAttribute("tabindex", "-1");
    entry = index;
    buttons[entry].setAttribute("tabindex", "0");
    if (focus) buttons[entry].focus();
  }

  find("nodes").addEventListener("keydown", (event) => {
    const place = open.indexOf(entry);
    const to = {
      ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + 10, PageUp: place - 10, Home: 0, End: listed - 1,
    }[event.key];
    if (to === undefined || place < 0) return;
    event.preventDefault();
    if (to >= listed) list(listed + PAGE);
    enter(open[Math.min(listed - 1, Math.max(0, to))], true);
  });
  find("more").addEventListener("click", () => {
    const first = listed;
    list(listed + PAGE);
    enter(open[first], true);
  });

  /* What is known of one node */

  function choose(index, follow = false) {
    if (index !== null && index === chosen && !follow) return;
    if (chosen !== null) buttons[chosen].removeAttribute("aria-current");
    chosen = index;
    picture.select(index, follow);
    tell(index);
    if (index === null) return;
    buttons[index].setAttribute("aria-current", "true");
    const place = open.indexOf(index);
    if (place >= listed) list(place + PAGE);
    if (place >= 0) enter(index);
    buttons[index].scrollIntoView({ block: "nearest" });
    history.replaceState(null, "", `#${encodeURIComponent(nodes[index].id)}`);
    find("said").textContent = `${nodes[index].id} is shown under Details`;
  }

  function tell(index) {
    const details = find("details");
    if (index === null) {
      details.replaceChildren(element("p", "Nothing is chosen.", { class: "hint" }));
      return;
    }
    const node = nodes[index];
    details.replaceChildren(element("h2", `${node.id} (${node.kind})`), element("p", node.text));
    for (const other of node.others) details.append(element("p", `A copy of the graph says: ${other}`, { class: "held-back" }));
    if (isRule(node)) details.append(...aboutRule(node));
    details.append(...aboutEdges(index), ...section("History", historyOf(node)));
    details.scrollTop = 0;
  }

  function aboutRule(node) {
    const found = [];
    found.push(element("p", node.held.length ? `May not guide: ${node.held.join("; ")}` : "May guide.", node.held.length ? { class: "held-back" } : {}));
    found.push(pairs([
      ["status", node.status], ["severity", `${node.severity} of 3`], ["direction", node.direction],
      ["domain", node.domain || "any"], ["scenarios", node.scenarios.join(", ") || "any"],
      ["criteria", node.criteria.join(", ") || "any"], ["tags", node.tags.join(", ") || "none"],
      ["origin", node.source ? `${node.origin}, ${node.source}` : node.origin],
      ["uses", `${number.format(node.uses)}; in order afterwards: ${node.outcome}`],
    ]));
    return [...found, ...section("Evidence", node.evidence.length ? evidenceTable(node.evidence) : element("p", "None yet.", { class: "hint" }))];
  }

  function pairs(entries) {
    const list = element("dl");
    for (const [name, value] of entries) list.append(element("dt", name), element("dd", value));
    return list;
  }

  const section = (title, body) => [element("h3", title), body];

  function evidenceTable(evidence) {
    const table = element("table");
    const head = element("tr");
    for (const name of ["measure", "value [interval]", "n"]) head.append(element("th", name, { scope: "col" }));
    table.append(head, ...evidence.map(evidenceRow));
    return table;
  }

  function evidenceRow(one) {
    const row = element("tr");
    const measure = element("td", one.measure);
    const more = [one.split && `on ${one.split}`, one.cycle && `cycle ${one.cycle}`, one.method, one.note].filter(Boolean);
    if (more.length) measure.append(element("br"), element("span", more.join("; "), { class: "hint" }));
    const figure = (value) => (value === null ? "undefined" : value.toFixed(3));
    const interval = one.low === null ? "" : ` [${figure(one.low)}, ${figure(one.high)}]`;
    const value = element("td", figure(one.value) + interval, { class: "figure" });
    if (one.value !== null) value.append(intervalPicture(one));
    row.append(measure, value, element("td", number.format(one.n)));
    return row;
  }

  function intervalPicture({ value, low, high }) {
    const make = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, what] of Object.entries(attributes)) made.setAttribute(key, what);
      return made;
    };
    const x = (figure) => 48 + 46 * Math.max(-1, Math.min(1, figure));
    const drawn = make("svg", { viewBox: "0 0 96 16", "aria-hidden": "true" });
    drawn.append(make("line", { class: "axis", x1: 2, x2: 94, y1: 8, y2: 8 }), make("line", { class: "zero", x1: 48, x2: 48, y1: 1, y2: 15 }));
    if (low !== null) drawn.append(make("line", { class: "span", x1: x(low), x2: x(high), y1: 8, y2: 8 }));
    drawn.append(make("circle", { class: "value", cx: x(value), cy: 8, r: 3 }));
    return drawn;
  }

  function aboutEdges(index) {
    const list = element("ul");
    for (const [source, target, kind] of edges) {
      if (source === index) list.append(edgeItem(OUTWARD[kind], target));
      if (target === index) list.append(edgeItem(INWARD[kind], source));
    }
    return section("Cases and edges", list.childElementCount ? list : element("p", "None.", { class: "hint" }));
  }

  function edgeItem(relation, index) {
    const item = element("li", `${relation} `);
    const button = element("button", nodes[index].id, { type: "button" });
    button.addEventListener("click", () => { choose(index, true); find("details").focus(); });
    item.append(button, ` ${nodes[index].kind}: ${nodes[index].text}`);
    return item;
  }

  function historyOf(node) {
    const list = element("ol");
    for (const { what, by, at } of node.history) list.append(element("li", `${what}${at || by ? ` (${[at, by].filter(Boolean).join(" by ")})` : ""}`));
    return list;
  }

  /* Begin */

  let chosen = null;
  const picture = new Picture(find("canvas"), data, (index) => choose(index));
  addChecks("statuses", STATUSES);
  addChecks("severities", SEVERITIES);
  addChecks("kinds", KINDS.filter((kind) => nodes.some((node) => node.kind === kind)));
  addOptions("domain", nodes.map((node) => node.domain));
  addOptions("scenario", nodes.flatMap((node) => (node.kind === "scenario" ? [node.id] : node.scenarios ?? [])));
  find("filter").addEventListener("input", filter);
  find("filter").addEventListener("submit", (event) => event.preventDefault());
  find("filter").addEventListener("reset", () => setTimeout(filter));
  find("in").addEventListener("click", () => picture.zoom(1.4));
  find("out").addEventListener("click", () => picture.zoom(1 / 1.4));
  find("fit").addEventListener("click", () => picture.fit());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.tagName !== "INPUT") choose(null);
  });
  filter();
  const chooseNamed = () => {
    const named = nodes.findIndex((node) => `#${encodeURIComponent(node.id)}` === location.hash);
    if (named >= 0) choose(named, true);
  };
  addEventListener("hashchange", chooseNamed);
  chooseNamed();
}
