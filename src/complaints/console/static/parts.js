// Asks the server for parts of a page. If the session has ended, a dialog asks to sign in, and the request is sent again.

import { reader } from "./session.js";

// Returns null if the server does not answer, and the refusal if the reader closes the dialog. Another user must not
// send what this one asked: that page is loaded again.
export async function ask(address, options = {}) {
  for (;;) {
    const answer = await fetch(address, { ...options, headers: { "HX-Request": "true", ...reader() } }).catch(() => null);
    if (answer?.status !== 401) return answer;
    const dialog = document.querySelector("dialog#sign-in");
    if (!dialog.open) dialog.showModal();
    if (!(await signsIn(dialog))) return answer;
    const login = dialog.querySelector("[name=login]").value.trim();
    if (login !== document.body.dataset.login) return new Promise(() => location.reload());
  }
}

function signsIn(dialog) {
  const { promise, resolve } = Promise.withResolvers(), over = new AbortController();
  document.addEventListener("console:signed-in", () => resolve(true), { signal: over.signal });
  dialog.addEventListener("close", () => dialog.open || resolve(false), { signal: over.signal });
  return promise.finally(() => over.abort());
}

// Shows a refusal, or that there was no answer, at `place`. A reader who closed the dialog to sign in knows it.
export async function tell(place, answer) {
  if (answer?.status === 401) return;
  if (answer) place.innerHTML = await answer.text();
  else place.replaceChildren(document.querySelector("#unanswered").content.cloneNode(true));
}

// Puts values into the words of an element: `data-words="{count} ticked"`.
export function fill(element, values) {
  element.textContent = element.dataset.words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function parse(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  return made.content;
}

// The address that renders rows of the list on the page, by its own filters. null: the page has no list.
export function addressOfRows(ids) {
  const list = document.querySelector("tbody[data-rows]");
  if (!list) return null;
  const address = new URL(list.dataset.rows, location.href);
  address.searchParams.delete("cursor");
  address.searchParams.set("ids", ids.join(","));
  return address;
}

// Renders rows that are on the screen again. A complaint that left the scope of the list stays, greyed.
export async function refreshRows(ids) {
  const shown = ids.filter((id) => document.getElementById(`row-${id}`)).slice(0, 200);
  const address = shown.length ? addressOfRows(shown) : null;
  if (!address) return;
  const answer = await ask(address);
  if (!answer?.ok) return;
  const made = parse(await answer.text());
  for (const id of shown) {
    const old = document.getElementById(`row-${id}`), row = made.getElementById(`row-${id}`);
    if (!old) continue;
    if (row) {
      row.classList.toggle("at", old.classList.contains("at"));
      old.replaceWith(row);
    } else old.classList.add("gone");
  }
}
