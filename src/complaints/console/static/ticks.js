// Ticks of rows. They survive paging, and the bar offers what may be done with every ticked complaint.

import { watchBulk } from "./bulk.js";
import { ask, fill } from "./parts.js";

let ticks = new Map(), bar, store, last;
const rows = () => [...document.querySelectorAll("#rows > tr[data-id]")];

export function watchTicks() {
  bar = document.querySelector("form#bulk.bulk");
  if (!bar) return;
  store = `ticks ${document.body.dataset.login} ${location.pathname}`;
  ticks = new Map(JSON.parse(sessionStorage.getItem(store) ?? "[]"));
  const body = document.querySelector("#rows"), head = document.querySelector("#tick-all");
  if (body) {
    body.addEventListener("click", tickRow);
    new MutationObserver(show).observe(body, { childList: true, subtree: true, attributeFilter: ["data-version"] });
    head.hidden = false;
    head.addEventListener("click", () => tick(rows(), head.checked));
  }
  bar.querySelector("#untick").hidden = false;
  bar.querySelector("#untick").addEventListener("click", () => untick([...ticks.keys()]));
  bar.querySelector("#tick-matching").addEventListener("click", tickMatching);
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter.title) why().textContent = event.submitter.title;
    else document.dispatchEvent(new CustomEvent("console:bulk", { detail: event.submitter.value }));
  });
  watchBulk({ ids: () => [...ticks.keys()], untick });
  show();
}

const why = () => bar.querySelector("#bulk-why");
const facts = (row) => [row.querySelector(".num").textContent, row.dataset.statusWord, row.dataset.actions];

function tickRow(event) {
  const box = event.target.closest("input[name=id]");
  if (!box) return;
  const all = rows(), here = all.indexOf(box.closest("tr")), from = all.findIndex((row) => row.dataset.id === last);
  const range = event.shiftKey && from >= 0 ? all.slice(Math.min(from, here), Math.max(from, here) + 1) : [all[here]];
  last = all[here].dataset.id;
  tick(range, box.checked);
}

function tick(some, on) {
  for (const row of some) on ? ticks.set(row.dataset.id, facts(row)) : ticks.delete(row.dataset.id);
  keep();
}

function untick(ids) {
  for (const id of ids) ticks.delete(id);
  keep();
}

function keep() {
  sessionStorage.setItem(store, JSON.stringify([...ticks]));
  show();
}

async function tickMatching() {
  const query = document.querySelector("#rows").dataset.query, list = document.querySelector("#list");
  const answer = await ask(`/console/bulk/matching?expected=${list.dataset.count}&${query}`);
  if (!answer.ok) document.querySelector("#flash").innerHTML = await answer.text();
  else for (const [id, ...rest] of await answer.json()) ticks.set(id, rest);
  keep();
}

function show() {
  const page = rows(), on = page.filter((row) => ticks.has(row.dataset.id));
  for (const row of page) {
    const ticked = ticks.has(row.dataset.id);
    if (ticked) ticks.set(row.dataset.id, facts(row));
    row.querySelector("input[name=id]").checked = ticked;
    row.classList.toggle("on", ticked);
  }
  const head = document.querySelector("#tick-all"), list = document.querySelector("#list");
  if (head) {
    head.checked = page.length > 0 && on.length === page.length;
    head.indeterminate = on.length > 0 && !head.checked;
  }
  bar.hidden = !ticks.size;
  fill(bar.querySelector("b"), { count: ticks.size });
  const matching = bar.querySelector("#tick-matching"), count = Number(list?.dataset.count);
  matching.hidden = !(head?.checked && count > ticks.size && count <= list.dataset.most);
  fill(matching, { count });
  why().textContent = "";
  for (const button of bar.querySelectorAll("[name=verb]")) showVerb(button);
}

function showVerb(button) {
  const cannot = button.value === "note" ? [] : [...ticks.values()].filter((one) => !one[2].split(" ").includes(button.value));
  const values = { count: cannot.length, all: ticks.size, statuses: [...new Set(cannot.map((one) => one[1]))].join(", ") };
  button.title = cannot.length ? why().dataset.words.replace(/\{(\w+)\}/g, (_, name) => values[name]) : "";
  button.setAttribute("aria-disabled", String(cannot.length > 0));
}
