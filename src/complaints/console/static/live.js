// Keeps pages up to date. One tab of a browser listens to the feed and tells the other tabs what changed; each tab
// asks for the rows that it shows. A new complaint does not push the list: a bar says how many there are.

import { fill } from "./clocks.js";
import { addressOfRows, parse } from "./parts.js";
import { reader } from "./session.js";

const GATHER = 250;
const SPOKEN_EVERY = 60_000;
const ADDRESS = "/console/changes";
const SHORTEST_PAUSE = 5000, LONGEST_PAUSE = 30_000;
const changed = new Map();
const fresh = new Set();
let timer = 0;
let spokenAt = 0;
let newlyLate = 0;

export function keepLive() {
  if (!document.body.dataset.login) return;
  const channel = new BroadcastChannel("console-changes");
  channel.onmessage = ({ data }) => note(data);
  takeTurn(channel, `console-stream-${document.body.dataset.login}`);
  document.addEventListener("console:late", () => speak(1));
}

// A tab that waited for its turn shows what changed since the stream of the last one ended.
async function takeTurn(channel, name) {
  await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && lead(channel, false));
  navigator.locks.request(name, () => lead(channel, true));
}

// Listens until the tab closes. The browser gives up after an answer that is no stream, and this tab asks again.
async function lead(channel, isAgain) {
  const tell = (found) => {
    channel.postMessage(found);
    note(found);
  };
  let pause = SHORTEST_PAUSE;
  for (;;) {
    await listen(tell, () => {
      if (isAgain) tell({ type: "missed" });
      isAgain = true;
      pause = SHORTEST_PAUSE;
    });
    isAgain = true;
    await signInOrPause(pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

// Resolves when the browser gives up.
function listen(tell, noteOpen) {
  return new Promise((end) => {
    const source = new EventSource(ADDRESS);
    document.documentElement.dataset.stream = "leads";
    source.onopen = noteOpen;
    source.onmessage = ({ data }) => {
      if (!data) return;
      const { type, complaint_id: id } = JSON.parse(data);
      if (id || type === "missed") tell({ type, id });
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) end();
    };
  });
}

function signInOrPause(pause) {
  return new Promise((end) => {
    setTimeout(end, pause);
    document.addEventListener("console:signed-in", end, { once: true, signal: AbortSignal.timeout(pause) });
  });
}

// After a gap in the stream, everything that is on the page may have changed.
function note({ type, id }) {
  if (!id) {
    for (const one of shownIds()) note({ type, id: one });
    return;
  }
  changed.set(id, (changed.get(id) || new Set()).add(type));
  if (!timer) timer = setTimeout(show, GATHER);
}

function shownIds() {
  const rows = [...document.querySelectorAll("tr[data-id]")].map((row) => row.dataset.id);
  return rows.concat(document.querySelector("[data-complaint]")?.dataset.complaint ?? []);
}

async function show() {
  timer = 0;
  const ids = [...changed.keys()];
  const types = new Map(changed);
  changed.clear();
  document.dispatchEvent(new CustomEvent("console:changed", { detail: { ids } }));
  const shown = ids.filter((id) => document.getElementById(`row-${id}`));
  const bar = document.querySelector(".new[data-types]");
  const joining = bar ? ids.filter((id) => !shown.includes(id) && joins(bar, types.get(id))) : [];
  const asked = [...shown, ...joining].slice(0, 100);
  if (asked.length) await showRows(asked, bar);
  if (ids.includes(document.querySelector("[data-complaint]")?.dataset.complaint)) {
    document.body.dispatchEvent(new CustomEvent("console:complaint-changed"));
  }
}

function joins(bar, types) {
  const wanted = bar.dataset.types.split(" ");
  return [...types].some((type) => wanted.includes(type));
}

async function showRows(ids, bar) {
  const address = addressOfRows(ids);
  if (!address) return;
  const answer = await fetch(address, { headers: { "HX-Request": "true", ...reader() } });
  if (!answer.ok) return;
  let late = 0;
  for (const row of parse(await answer.text()).querySelectorAll("tr[data-id]")) {
    const old = document.getElementById(row.id);
    if (old) {
      if (row.querySelector(".clock.late") && !old.querySelector(".clock.late")) late += 1;
      replaceRow(old, row);
    } else if (!row.classList.contains("gone")) {
      fresh.add(row.dataset.id);
    }
  }
  if (bar) {
    bar.hidden = fresh.size === 0;
    bar.querySelector("span").textContent = fill(bar.dataset.text, { count: fresh.size });
  }
  speak(late);
}

// The tick, the focus and the place of a row stay; the rest of it is morphed.
function replaceRow(old, row) {
  for (const name of ["at", "on"]) row.classList.toggle(name, old.classList.contains(name));
  const form = old.querySelector("input[name=id]")?.getAttribute("form");
  if (form) row.querySelector("input[name=id]")?.setAttribute("form", form);
  window.htmx.swap({ target: old, text: row.outerHTML, swap: "outerMorph", sourceElement: old });
}

// One polite region, at most once a minute.
function speak(count) {
  newlyLate += count;
  const region = document.querySelector("#live");
  if (!newlyLate || !region || Date.now() - spokenAt < SPOKEN_EVERY) return;
  region.textContent = fill(region.dataset.text, { count: newlyLate });
  spokenAt = Date.now();
  newlyLate = 0;
}
