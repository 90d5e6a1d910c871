// Drafts: what is typed in a form stands in the browser at once and on the server after 5 seconds.

import { reader } from "./session.js";

const KEPT_MS = 7 * 24 * 3600 * 1000;
const SEND_MS = 5000;
const MOST_KEPT_ALIVE = 60000; // a browser finishes larger requests only while their page is open
const PREFIX = "draft:";
const states = new WeakMap();

export function watchDrafts() {
  forgetOld();
  prepareAll();
  document.addEventListener("htmx:after:swap", prepareAll);
  for (const type of ["input", "change"]) document.addEventListener(type, noteTyping);
  document.addEventListener("htmx:before:request", (event) => pause(event.detail.ctx.sourceElement));
  document.addEventListener("htmx:after:request", noteAnswer);
  document.addEventListener("htmx:finally:request", (event) => resume(event.detail.ctx.sourceElement));
  document.addEventListener("submit", noteDiscard, true);
  addEventListener("pagehide", () => openForms().forEach(keepNow));
}

// Send the draft of a form now, because it closes.
export function keepNow(form) {
  const state = states.get(form);
  if (state?.timer) send(form, state, true);
}

const openForms = () => [...document.querySelectorAll("form[data-draft]")];
const keyOf = (form) => `${PREFIX}${document.body.dataset.login}:${form.dataset.draft}`;
const read = (key) => JSON.parse(localStorage.getItem(key) ?? "null");

function forgetOld() {
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
    if (Date.now() - read(key).kept > KEPT_MS) localStorage.removeItem(key);
  }
}

function prepareAll() {
  for (const form of openForms()) if (!states.has(form)) prepare(form);
}

// The newest draft wins. `at` is in the time of the server, so clocks of browsers make no difference.
function prepare(form) {
  const { now, saved, erased, typed } = form.dataset;
  const state = { typed: new Set(typed.split(" ").filter(Boolean)), shift: Date.parse(now) - Date.now(), timer: 0 };
  states.set(form, state);
  const own = read(keyOf(form));
  if (!own) return;
  if (own.erased !== erased) return localStorage.removeItem(keyOf(form));
  if (own.at <= (Date.parse(saved) || 0)) return;
  for (const [name, value] of Object.entries(own.fields)) {
    const control = form.elements.namedItem(name);
    if (!control) continue;
    if (control.type === "checkbox") control.checked = value !== "";
    else control.value = value;
    if (name === "zone") continue;
    state.typed.add(name);
    control.closest("details")?.setAttribute("open", "");
  }
  const time = new Date(own.kept).toTimeString().slice(0, 5);
  note(form, form.dataset.restored.replace("{time}", time));
  schedule(form, state);
}

function noteTyping(event) {
  const { form, name } = event.target;
  const state = form && states.get(form);
  if (!state || !name) return;
  state.typed.add(name);
  keepHere(form, state);
  schedule(form, state);
}

function valuesOf(form, state) {
  const names = [...state.typed, "zone"].filter((name) => form.elements.namedItem(name));
  return Object.fromEntries(names.map((name) => {
    const control = form.elements.namedItem(name);
    return [name, control.type === "checkbox" && !control.checked ? "" : control.value];
  }));
}

function keepHere(form, state) {
  const kept = { fields: valuesOf(form, state), at: Date.now() + state.shift, kept: Date.now(), erased: form.dataset.erased };
  try {
    localStorage.setItem(keyOf(form), JSON.stringify(kept));
  } catch {
    note(form, ""); // the store of the browser is full: the server keeps the draft alone
  }
}

function schedule(form, state) {
  clearTimeout(state.timer);
  state.timer = state.done ? 0 : setTimeout(() => send(form, state), SEND_MS);
}

async function send(form, state, isLast = false) {
  clearTimeout(state.timer);
  state.timer = 0;
  state.sending = post(form.dataset.draft, new URLSearchParams(valuesOf(form, state)).toString());
  try {
    note(form, (await (await state.sending).json()).kept);
  } catch {
    note(form, form.dataset.here); // the copy in this browser stays, and it is tried again
    if (form.isConnected && !isLast) schedule(form, state);
  }
  state.sending = null;
}

async function post(path, body) {
  const answer = await fetch(`/console/drafts/${path}`, {
    method: "POST",
    headers: { "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded", ...reader() },
    body,
    keepalive: body.length < MOST_KEPT_ALIVE,
  });
  if (!answer.ok) throw new Error(answer.status);
  return answer;
}

function note(form, text) {
  const place = form.querySelector("[data-draft-note]");
  if (!place || !text) return;
  place.hidden = false;
  place.querySelector("[data-draft-text]").textContent = text;
}

// While a form is on its way, its draft stays where it is.
function pause(form) {
  const state = states.get(form);
  if (!state) return;
  state.wasTyped ||= state.timer > 0;
  clearTimeout(state.timer);
  state.timer = 0;
}

function noteAnswer(event) {
  const { sourceElement, response } = event.detail.ctx;
  if (states.has(sourceElement) && response.status < 300) forget(sourceElement);
}

function resume(form) {
  const state = states.get(form);
  if (!state || state.done || !state.wasTyped || !form.isConnected) return;
  state.wasTyped = false;
  schedule(form, state);
}

// A draft that was on its way may reach the server after its form did. If it cannot be discarded, a reader sees it.
function forget(form) {
  const state = states.get(form);
  state.done = true;
  clearTimeout(state.timer);
  state.timer = 0;
  localStorage.removeItem(keyOf(form));
  state.sending?.then(() => post(`${form.dataset.draft}/discard`, "")).catch(() => {});
}

function noteDiscard(event) {
  if (event.target.id !== "discard") return;
  for (const form of openForms()) if (states.has(form)) forget(form);
}
