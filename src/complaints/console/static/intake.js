// A new complaint: a suggestion fills its field, and Ctrl+Enter sends the form in which it is pressed.

export function watchIntake() {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-fills]");
    if (!chip) return;
    const field = document.getElementById(chip.dataset.fills);
    field.value = chip.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    const form = event.target.closest("form[data-sends]");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
