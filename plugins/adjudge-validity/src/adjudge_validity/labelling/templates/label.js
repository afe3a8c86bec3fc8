// Keys, and answers without loading the page anew. Without this file the forms work as plain forms.
"use strict";

// From a key or click until its answer shows, further ones are not taken: they would mean what is no longer on the page.
const waiting = () => document.body.hasAttribute("aria-busy");

const current = () => document.querySelector(".criterion.current") ?? document.querySelector(".criterion");

function mark(form) {
  for (const other of document.querySelectorAll(".criterion")) other.classList.toggle("current", other === form);
}

function choose(form) {
  mark(form);
  form.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const forms = [...document.querySelectorAll(".criterion")];
  const to = forms[forms.indexOf(current()) + step];
  if (to) choose(to);
}

function say(message) {
  document.querySelector("#error").textContent = message;
}

// The criterion that is next after an answer: an open one, else the one below, so that a correction goes on from where it is.
function next(answered) {
  const open = document.querySelector(".criterion.current");
  const forms = [...document.querySelectorAll(".criterion")];
  const place = forms.findIndex((form) => form.dataset.criterion === answered);
  if (!open && place >= 0) mark(forms[place]);
  return open ?? (place < 0 ? undefined : forms[place + 1]);
}

function show(page, answered) {
  for (const id of ["progress", "answers"]) {
    document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
  }
  const form = next(answered);
  if (form) choose(form);
  (form?.querySelector("fieldset") ?? document.querySelector(".moves .next"))?.focus({ preventScroll: true });
}

async function send(form, button) {
  if (waiting()) return;
  document.body.setAttribute("aria-busy", "true");
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.set(name, value);
  if (button?.name) body.set(button.name, button.value);
  try {
    const reply = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (reply.ok && new URL(reply.url).pathname !== location.pathname) return location.assign(reply.url);
    if (reply.ok) show(page, form.dataset.criterion);
    else say(page.querySelector("#message")?.textContent ?? `Not saved (${reply.status}).`);
  } catch {
    say("Not saved: adjudge no longer answers. Start it again with the same command and open the new address.");
  }
  document.body.removeAttribute("aria-busy");
}

// No single key signs, so that words typed outside a field never do.
function signOff(event) {
  const button = current()?.querySelector("[value=sign-off]");
  if (!button) return;
  event.preventDefault();
  button.click();
}

addEventListener("pageshow", () => document.body.removeAttribute("aria-busy"));

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter);
});

document.addEventListener("focusin", (event) => {
  const form = event.target.closest?.(".criterion");
  if (form) mark(form);
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing || event.repeat) return;
  if (event.target.matches?.("input:not([type=radio])")) return;
  const held = event.ctrlKey || event.metaKey;
  if (held && event.key !== "Enter") return;
  if (waiting()) return event.preventDefault();
  if (held) return signOff(event);
  // After a click on a level a word may be its reason; a digit leads to the field for it.
  if (event.target.matches?.("input[type=radio]") && !/^\d$/.test(event.key)) return;
  if (event.key === "j" || event.key === "k") return move(event.key === "j" ? 1 : -1);
  const wanted = `[data-key="${CSS.escape(event.key)}"]`;
  const target = current()?.querySelector(wanted) ?? document.querySelector(`.moves ${wanted}`);
  if (!target || target.disabled) return;
  event.preventDefault();
  target.click();
  if (target.matches("input[type=radio]")) current().querySelector("input[name=reason]").focus();
});

// On a narrow page the text to read stands above the criteria, so it stays in view.
const first = current();
if (first) mark(first);
if (first && matchMedia("(min-width: 60rem)").matches) choose(first);
