"use strict";
// Shows the submissions. Whatever came from outside is put in as text, never as markup.
(() => {
  const ROW = 64; // height of a row of the list, in pixels; as in the style sheet
  const AHEAD = 8; // rows drawn above and below what is seen
  const MOST_CRITERIA = 300; // beyond that, as where every submission has its own, one cannot choose among them
  const [RUN, CRITERION, ANSWER, STATE, DIFFERS, TONE, FLAGS, REVIEWED] = [0, 1, 2, 3, 4, 5, 6, 7];
  const UNSCORED = 1;
  const isNarrow = matchMedia("(max-width: 60rem)"); // texts stand under the list; as in the style sheet
  const at = (id) => document.getElementById(id);
  const [list, space, detail, count, filters] = ["list", "space", "detail", "count", "filters"].map(at);

  const packed = [...document.querySelectorAll("script.block")];
  const blocks = new Map(); // number to promise of its value
  const words = new Map(); // row to all its words, in lower case
  let index, rows, shown = [], chosen = -1, search = 0;

  async function unpack(element) {
    const bytes = Uint8Array.from(atob(element.textContent), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  function block(number) {
    if (!blocks.has(number)) blocks.set(number, unpack(packed[number]));
    return blocks.get(number);
  }

  async function entryOf(row) {
    const { strings, entries } = await block(row.block);
    return { strings, entry: entries[row.place] };
  }

  function make(tag, name, ...inside) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...inside.filter((one) => one !== null && one !== undefined && one !== ""));
    return element;
  }

  function folded(title, name, ...inside) {
    return make("details", name, make("summary", "", title), ...inside);
  }

  // --- the list ---------------------------------------------------------------------------------------------------

  function rowsOf(given) {
    const places = new Map();
    return given.map(([id, score, value, number, verdicts], order) => {
      const place = places.get(number) ?? 0;
      places.set(number, place + 1);
      const differs = verdicts.filter((one) => one[DIFFERS]).length;
      const unscored = verdicts.filter((one) => one[STATE] === UNSCORED).length;
      const flagged = verdicts.filter((one) => one[FLAGS].length).length;
      const reviewed = verdicts.filter((one) => one[REVIEWED]).length;
      return { id, score, value, block: number, place, verdicts, order, differs, unscored, flagged, reviewed };
    });
  }

  function noteOf(row) {
    const notes = [row.score];
    if (row.differs) notes.push(`${row.differs} ${row.differs === 1 ? "differs" : "differ"} from people`);
    if (row.flagged) notes.push(`${row.flagged} flagged`);
    if (row.reviewed) notes.push(`${row.reviewed} reviewed`);
    return notes.join(" · ");
  }

  function rowElement(position) {
    const row = rows[shown[position]];
    const dots = make("span", "dots", ...row.verdicts.map((one) =>
      make("span", `dot ${index.tones[one[TONE]]}${one[DIFFERS] ? " differs" : ""}`)));
    dots.setAttribute("aria-hidden", "true");
    const element = make("div", "row", make("div", "name", row.id), make("div", "line", dots, make("span", "", noteOf(row))));
    element.id = `row${position}`;
    element.title = row.id;
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", String(position === chosen));
    element.setAttribute("aria-setsize", String(shown.length));
    element.setAttribute("aria-posinset", String(position + 1));
    element.style.top = `${position * ROW}px`;
    element.addEventListener("click", async () => {
      await choose(position);
      if (isNarrow.matches) detail.scrollIntoView();
    });
    return element;
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - AHEAD);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + AHEAD);
    const drawn = [];
    for (let position = first; position < last; position += 1) drawn.push(rowElement(position));
    space.style.height = `${shown.length * ROW}px`;
    space.replaceChildren(...drawn);
    if (chosen >= first && chosen < last) list.setAttribute("aria-activedescendant", `row${chosen}`);
    else list.removeAttribute("aria-activedescendant");
  }

  async function choose(position) {
    chosen = position;
    const top = position * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
    if (position < 0) {
      detail.replaceChildren(make("p", "soft", "No submission fits these filters."));
      return;
    }
    const row = rows[shown[position]];
    const { strings, entry } = await entryOf(row);
    if (chosen >= 0 && rows[shown[chosen]] === row) detail.replaceChildren(...entryView(entry, strings));
  }

  const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

  function pressed(event) {
    if (event.key === "Enter" || event.key === "ArrowRight") detail.querySelector("h3")?.focus();
    else if (event.key in STEPS && shown.length) {
      choose(Math.min(shown.length - 1, Math.max(0, chosen + STEPS[event.key])));
    } else return;
    event.preventDefault();
  }

  // --- filters ----------------------------------------------------------------------------------------------------

  const LOOKS = {
    "": () => true,
    look: (one) => one[DIFFERS] || one[STATE] === UNSCORED || one[FLAGS].length > 0,
    differs: (one) => one[DIFFERS] === 1,
    unscored: (one) => one[STATE] === UNSCORED,
    flagged: (one) => one[FLAGS].length > 0,
    reviewed: (one) => one[REVIEWED] === 1,
  };
  const known = (value, missing) => (value === null ? missing : value);
  const ORDERS = {
    "": (one, other) => one.order - other.order,
    low: (one, other) => known(one.value, Infinity) - known(other.value, Infinity) || one.order - other.order,
    high: (one, other) => known(other.value, -Infinity) - known(one.value, -Infinity) || one.order - other.order,
    differs: (one, other) => other.differs - one.differs || one.order - other.order,
  };

  function isWanted(verdict) {
    const [criterion, answer, run] = ["criterion", "answer", "run"].map((id) => at(id).value);
    return (criterion === "" || verdict[CRITERION] === Number(criterion))
      && (answer === "" || verdict[ANSWER] === Number(answer))
      && (run === "" || verdict[RUN] === Number(run))
      && LOOKS[at("look").value](verdict);
  }

  const isFiltered = () => ["criterion", "answer", "run", "look"].some((id) => at(id).value !== "");

  async function wordsOf(row) {
    if (!words.has(row)) {
      const { strings, entry } = await entryOf(row);
      const texts = [...(entry.inputs ?? []), ...(entry.outputs ?? [])].map((text) =>
        text.pieces.map((piece) => strings[piece[0] ?? piece]).join(""));
      const said = (one) => [one.explanation, one.detail, one.judge, ...(one.turns ?? []).map((turn) => strings[turn[2]]),
        ...(one.quotes ?? []).map((quote) => quote[0]), ...(one.flags ?? []), ...(one.humans ?? []).flat(), ...(one.reviews ?? []).flat(),
        ...(one.members ?? []).flatMap(said)];
      const verdicts = entry.results.flatMap((result) => result.verdicts.flatMap(said));
      words.set(row, [entry.id, ...texts, ...verdicts, ...(entry.metadata ?? []).flat()].join("\n").toLowerCase());
    }
    return words.get(row);
  }

  async function apply() {
    const mine = (search += 1);
    const wanted = at("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = isFiltered() ? rows.filter((row) => row.verdicts.some(isWanted)) : [...rows];
    const found = [];
    for (const row of fitting) {
      if (wanted.length) {
        const all = await wordsOf(row);
        if (mine !== search) return; // something else is wanted by now
        if (!wanted.every((word) => all.includes(word))) continue;
      }
      found.push(row);
    }
    found.sort(ORDERS[at("order").value]);
    shown = found.map((row) => row.order);
    const verdicts = found.reduce((sum, row) => sum + (isFiltered() ? row.verdicts.filter(isWanted).length : row.verdicts.length), 0);
    count.textContent = `${found.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} submissions, `
      + `${verdicts.toLocaleString("en")} verdicts${isFiltered() ? " that fit" : ""}`;
    list.scrollTop = 0;
    await choose(found.length ? 0 : -1);
  }

  function fill(id, names) {
    at(id).append(...names.map((name, place) => {
      const option = make("option", "", name);
      option.value = String(place);
      return option;
    }));
  }

  // --- one submission ---------------------------------------------------------------------------------------------

  function pieceView(piece, strings) {
    if (typeof piece === "number") return strings[piece];
    const [place, cited] = piece;
    const element = make(cited ? "mark" : "span", cited ? "" : "hid", strings[place]);
    element.title = cited ? `quoted for ${cited}` : "hidden character";
    return element;
  }

  function textView(text, strings) {
    const body = make("div", "", ...text.pieces.map((piece) => pieceView(piece, strings)));
    body.dir = "auto";
    const more = text.left_out ? make("p", "soft", `${text.left_out.toLocaleString("en")} more characters are not shown.`) : "";
    return make("section", "text", make("h4", "", text.heading), body, more);
  }

  function barsView(bars) {
    return make("ul", "bars", ...bars.map(([name, share, width, isChosen]) => {
      const bar = make("b", "");
      bar.style.width = `${100 * width}%`;
      const line = make("i", "", bar);
      line.setAttribute("aria-hidden", "true");
      return make("li", isChosen ? "chosen" : "", make("span", "", name), line, make("span", "", share));
    }));
  }

  function quoteView([text, message, isFound]) {
    const quote = make("span", "quote", `“${text}”`);
    return make("p", "", quote, message ? make("span", "soft", ` message ${message}`) : "",
      isFound ? "" : make("span", "flag", "not found in the output"));
  }

  function reviewView([done, reason, place]) {
    const why = make("p", "pre", reason);
    why.dir = "auto";
    return make("li", "", done, reason ? why : "", make("p", "soft", place));
  }

  function reviewsView(said) {
    const stands = said.stands ? make("p", "stands", said.stands) : "";
    return make("div", "reviews", make("h5", "", "Review"), make("ul", "", ...said.reviews.map(reviewView)), stands);
  }

  function preView(title, text) {
    const body = make("div", "", text);
    body.dir = "auto";
    return make("section", "text", make("h4", "", title), body);
  }

  function turnView([prompt, added, reply], strings) {
    const [system, ...user] = prompt.map((place) => strings[place]);
    return [
      system ? preView("Told to the judge beforehand", system) : "",
      preView("Asked", user.join("")),
      ...added.map(([role, place]) => preView(role === "assistant" ? "The judge's earlier reply" : "Said to it", strings[place])),
      preView("Reply", strings[reply] || "(nothing)"),
    ];
  }

  function saidView(said, strings, heading) {
    const text = (name, words) => {
      const line = make("p", name, words);
      line.dir = "auto";
      return line;
    };
    return make("div", "said",
      heading ? make("h5", "", heading) : "",
      said.why ? make("p", "why", said.why) : "",
      said.detail ? text("soft pre", said.detail) : "",
      said.explanation ? text("pre", said.explanation) : "",
      ...(said.quotes ?? []).map(quoteView),
      ...(said.flags ?? []).flatMap((flag) => [make("span", "flag", flag), " "]),
      said.bars ? barsView(said.bars) : "",
      ...(said.orders ?? []).flatMap(([name, bars]) => [make("p", "soft", `order ${name}`), barsView(bars)]),
      said.figures ? make("p", "soft", said.figures.join(" · ")) : "",
      said.feedback ? make("p", "feedback", said.feedback) : "",
      said.reviews ? reviewsView(said) : "",
      said.turns ? folded("What the judge was asked, and its reply", "text", ...said.turns.flatMap((turn) => turnView(turn, strings))) : "",
      ...(said.members ?? []).map((member) => saidView(member, strings, `${member.judge ?? "member"}: ${member.level}`)));
  }

  const manyRuns = () => index.runs.length > 1;
  const nameOf = (run) => (manyRuns() ? index.runs[run] : "judge");

  function levelView(who, level, tone) {
    return make("li", "", make("span", "who", who), make("span", `badge ${tone}`, level));
  }

  function criterionView(group, strings) {
    const [first] = group.map((one) => one.said);
    const text = first.text === undefined ? first.criterion : strings[first.text];
    const people = new Map(group.flatMap((one) => one.said.humans ?? []).map(([level, rater]) => [`${rater}\n${level}`, [level, rater]]));
    const levels = [
      ...group.map(({ run, said }) => levelView(nameOf(run), said.level, said.tone)),
      ...[...people.values()].map(([level, rater]) => levelView(rater || "a person", level, "human")),
    ];
    const differs = group.some((one) => (one.said.humans ?? []).some((human) => human[2]));
    const about = [first.criterion, first.importance].filter(Boolean).join(" · ");
    return make("section", "verdict",
      make("h4", "", text),
      make("p", "soft", about, differs ? " " : "", differs ? make("span", "flag", "differs from a human label") : ""),
      make("ul", "levels", ...levels),
      ...group.map(({ run, said }) => saidView(said, strings, manyRuns() ? index.runs[run] : "")));
  }

  function groupsOf(entry) {
    const groups = new Map();
    for (const { run, verdicts } of entry.results) {
      for (const said of verdicts) {
        const key = `${said.criterion}\n${said.text}`;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push({ run, said });
      }
    }
    return [...groups.values()];
  }

  function entryView(entry, strings) {
    const heading = make("h3", "", entry.id);
    heading.tabIndex = -1;
    const back = make("button", "back", "Back to the list");
    back.addEventListener("click", () => {
      list.scrollIntoView();
      list.focus();
    });
    const scores = entry.results.map((result) => make("p", "soft",
      make("strong", "", manyRuns() ? `${index.runs[result.run]}: ${result.score}` : result.score),
      ` · ${result.notes.join(" · ")}`));
    const texts = (name) => (entry[name] ?? []).map((text) => textView(text, strings));
    const outputs = texts("outputs");
    const metadata = entry.metadata ? folded("Metadata", "text", make("div", "", entry.metadata.map((pair) => pair.join(": ")).join("\n"))) : "";
    return [back, heading, ...scores, ...texts("inputs"), make("div", outputs.length > 1 ? "pair" : "", ...outputs),
      ...groupsOf(entry).map((group) => criterionView(group, strings)), metadata].filter((one) => one !== "");
  }

  // --- beginning --------------------------------------------------------------------------------------------------

  at("theme").addEventListener("change", (event) => {
    if (event.target.value) document.documentElement.dataset.theme = event.target.value;
    else delete document.documentElement.dataset.theme;
  });

  async function begin() {
    index = await unpack(at("index"));
    rows = rowsOf(index.rows);
    if (!rows.length) return;
    fill("criterion", index.criteria);
    at("criterion").closest("label").hidden = index.criteria.length > MOST_CRITERIA;
    fill("answer", index.answers);
    fill("run", index.runs);
    at("run-label").hidden = !manyRuns();
    at("reviewed").hidden = !rows.some((row) => row.reviewed);
    filters.hidden = at("browser").hidden = at("legend").hidden = false;
    let waiting;
    filters.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 120);
    });
    filters.addEventListener("reset", () => setTimeout(apply));
    filters.addEventListener("submit", (event) => event.preventDefault());
    list.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    list.addEventListener("keydown", pressed);
    addEventListener("resize", draw);
    await apply();
  }

  begin().then(
    () => {
      document.documentElement.dataset.ready = "yes";
      performance.mark("usable");
    },
    (error) => {
      count.textContent = `The list cannot be shown by this browser (${error}); one of 2024 or later can.`;
    },
  );
})();
