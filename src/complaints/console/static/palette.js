// Dialogs that links open: the palette, also by Ctrl K or ⌘ K, and the list of keys. Without scripts they are pages.

export function watchDialogs() {
  const palette = document.querySelector("dialog#palette");
  if (!palette) return;
  const input = palette.querySelector("input");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-opens]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(document.getElementById(link.dataset.opens));
  });
  document.addEventListener("keydown", (event) => {
    const isK = event.code === "KeyK" || event.key.toLowerCase() === "k";
    if (!isK || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else open(palette);
  });
  palette.addEventListener("keydown", (event) => moveIn(palette, input, event));
  palette.addEventListener("submit", (event) => {
    const shown = palette.querySelector("[data-q]");
    const first = shown?.dataset.q === input.value.trim() && shown.querySelector("a");
    if (!first) return;
    event.preventDefault();
    first.click();
  });

  function open(dialog) {
    if (!dialog.open) dialog.showModal();
    if (dialog !== palette) return;
    input.select();
    if (!palette.querySelector("[data-q]")) input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function moveIn(palette, input, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.isComposing) return;
  event.preventDefault();
  const stops = [input, ...palette.querySelectorAll("[data-q] a")];
  const at = stops.indexOf(document.activeElement);
  stops[(at + step + stops.length) % stops.length].focus();
}
