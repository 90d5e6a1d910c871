// A new complaint: a suggestion fills its field, and what is typed survives a reload of the tab.

export function watchIntake() {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-fills]");
    if (chip) fill(document.getElementById(chip.dataset.fills), chip.value);
    if (event.target.closest("a[data-forgets]")) sessionStorage.removeItem(key());
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-keeps]");
    if (form) sessionStorage.setItem(key(), JSON.stringify([...new FormData(form)]));
  });
  if (document.querySelector("main [data-saved]")) sessionStorage.removeItem(key());
  const form = document.querySelector("form[data-keeps]");
  if (form) restore(form);
}

const key = () => `new-complaint:${document.body.dataset.login}`;

function fill(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

// The attempt is kept too: a complaint whose answer got lost is not saved twice.
function restore(form) {
  const kept = JSON.parse(sessionStorage.getItem(key()) ?? "[]");
  for (const [name, value] of kept) {
    const field = form.elements.namedItem(name);
    if (field?.type === "checkbox") field.checked = true;
    else if (field) field.value = value;
    if (value && name !== "attempt") field?.closest("details")?.setAttribute("open", "");
  }
  if (kept.length) whenReady(form, () => form.dispatchEvent(new Event("input")));
}

// htmx starts after the scripts of the page, or between them. It marks what it listens to.
function whenReady(form, work) {
  if (form.querySelector("[data-htmx-powered]")) work();
  else document.addEventListener("htmx:after:process", work, { once: true });
}
