// Templates for answers: a click puts the text into the answer, where the cursor is.

export function watchTemplates() {
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("a[data-text]");
    const field = chosen && document.getElementById(chosen.dataset.into);
    if (!field) return;
    event.preventDefault();
    const start = field.selectionStart;
    field.setRangeText(chosen.dataset.text, start, field.selectionEnd, "end");
    const gap = field.value.indexOf("\n\n", start);
    if (gap >= 0) field.setSelectionRange(gap + 1, gap + 1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    chosen.closest("details").open = false;
    field.focus();
  });
}
