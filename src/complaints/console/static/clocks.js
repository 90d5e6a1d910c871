// Counts the clocks of a page on, by the time of the server. The words come from the page, in the language of the reader.

const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, SOON = DAY;
let offset = 0;
let words = null;

export function countClocks() {
  const source = document.querySelector("#clock-words");
  if (!source) return;
  words = JSON.parse(source.textContent);
  offset = Date.parse(source.dataset.now) - Date.now();
  setInterval(showClocks, 20_000);
  document.addEventListener("htmx:after:swap", showClocks);
}

export function serverNow() {
  return Date.now() + offset;
}

function showClocks() {
  for (const badge of document.querySelectorAll(".clock[data-due]")) showClock(badge);
}

function showClock(badge) {
  const left = (Date.parse(badge.dataset.due) - serverNow()) / 1000;
  const tone = left < 0 ? "late" : left <= SOON ? "soon" : "run";
  if (!badge.classList.contains(tone)) {
    badge.classList.remove("late", "soon", "run");
    badge.classList.add(tone);
    const icon = document.querySelector(`#icons [data-icon="${tone}"] svg`);
    if (icon) badge.querySelector("svg").replaceWith(icon.cloneNode(true));
    if (tone === "late") badge.dispatchEvent(new CustomEvent("console:late", { bubbles: true }));
  }
  const form = tone === "late" ? words.late : words.due;
  const text = fill(form, { kind: words.kinds[badge.dataset.kind] || badge.dataset.kind, time: duration(left) });
  const place = badge.querySelector("span");
  if (place.textContent !== text) place.textContent = text;
}

function duration(seconds) {
  const minutes = Math.floor(Math.abs(seconds) / MINUTE);
  const parts = [[Math.floor(minutes / 1440), "day"], [Math.floor(minutes / 60) % 24, "hour"], [minutes % 60, "minute"]];
  while (parts.length > 1 && parts[0][0] === 0) parts.shift();
  return parts
    .slice(0, 2)
    .filter(([count], _, { length }) => count > 0 || parts.length === 1)
    .map(([count, unit]) => fill(words[unit], { count }))
    .join(" ");
}

export function fill(text, parts) {
  return text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);
}
