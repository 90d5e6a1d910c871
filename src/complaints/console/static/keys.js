// Single keys. Help lists them from texts/<language>/keys.toml, and a test compares. A user may switch them off.

const ROWS = "tbody tr[data-id]";
const FIELDS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
const GO_SECONDS = 1.5;
const CODES = { Slash: ["/", "?"], Period: [".", ">"] };
let going = -Infinity;
let at = { id: "", place: 0 };

export const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => click(row()?.querySelector("td.subject a, a[href]") ?? find("o")),
  x: () => click(row()?.querySelector("input[type=checkbox]")),
  a: act,
  r: act,
  h: act,
  e: act,
  t: act,
  c: act,
  n: act,
  w: act,
  "/": press,
  ".": press,
  u: press,
  "?": () => click(document.querySelector('header [data-key="?"]')), // also where the bar has no room for it
  g: () => { going = performance.now(); },
};

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (sends(event) || document.body.dataset.singleKeys !== "on") return;
    const key = keyOf(event);
    if (!key || event.target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return;
    const goes = performance.now() - going < GO_SECONDS * 1000;
    going = -Infinity;
    const done = goes ? click(document.querySelector(`nav [data-key="g ${CSS.escape(key)}"]`)) : Object.hasOwn(KEYS, key) && KEYS[key](key) !== false;
    if (done) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const focused = event.target.closest(ROWS);
    if (focused) mark(focused);
  });
  document.addEventListener("htmx:after:swap", () => {
    const again = at.id && document.getElementById(at.id);
    if (again) mark(again);
  });
}

// The letter that was meant: an input method sends `Process`, and another alphabet its own letter, but the code stays.
export function keyOf(event) {
  if (event.isComposing || event.repeat && !"jk".includes(event.key) || event.defaultPrevented) return null;
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const unusual = event.key === "Process" || event.keyCode === 229 || event.key.length === 1 && event.key > "~";
  if (!unusual) return event.shiftKey && /^[a-z]$/i.test(event.key) ? null : event.key.toLowerCase();
  if (CODES[event.code]) return CODES[event.code][Number(event.shiftKey)];
  return event.code.startsWith("Key") && !event.shiftKey ? event.code.slice(3).toLowerCase() : null;
}

// Ctrl+Enter sends the form in which it is pressed; with Shift, the button that also opens the next one is used.
function sends(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.defaultPrevented) return false;
  const form = event.target.closest?.("main form[method=post]");
  if (!form) return false;
  event.preventDefault();
  form.requestSubmit(event.shiftKey ? form.querySelector("button[data-next]") : undefined);
  return true;
}

function rows() {
  return [...document.querySelectorAll(ROWS)].filter((one) => one.checkVisibility());
}

function row() {
  return document.querySelector(`${ROWS}.at`);
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const place = all.indexOf(row());
  const wanted = place < 0 ? at.place : place + step;
  const next = all[Math.min(Math.max(wanted, 0), all.length - 1)];
  mark(next);
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function mark(next) {
  for (const one of document.querySelectorAll(`${ROWS}.at`)) {
    one.classList.remove("at");
    one.removeAttribute("aria-current");
  }
  next.classList.add("at");
  next.setAttribute("aria-current", "true");
  at = { id: next.id, place: rows().indexOf(next) };
}

// The visible element for a key: in the row, else on the page outside other rows, those of the content first.
function find(key, within = document) {
  const named = [...within.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(
    (one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && (within !== document || !one.closest(ROWS)),
  );
  return named.find((one) => one.closest("main")) ?? named[0];
}

function click(element) {
  if (!element) return false;
  if (element.matches(FIELDS)) element.focus();
  else element.click();
  return true;
}

function press(key) {
  return click(find(key));
}

// An action on the row. A button of the page acts on ticked rows, so the row gets a tick if none has one.
function act(key) {
  const own = row() && find(key, row());
  if (own) return click(own);
  const tick = row()?.querySelector("input[type=checkbox]");
  const isForMany = tick?.form && document.querySelector(`main [data-key="${key}"]`);
  if (!isForMany || document.querySelector(`${ROWS} input[type=checkbox]:checked`)) return press(key);
  tick.click();
  requestAnimationFrame(() => press(key));
}
