// A session may end while somebody types. A dialog asks to sign in, and the same request is sent again.

let waiting = [];

export function watchSession() {
  const dialog = document.querySelector("dialog#sign-in");
  if (!dialog) return;
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status !== 401 || dialog.contains(ctx.sourceElement)) return;
    event.preventDefault();
    waiting.push(ctx.sourceElement);
    if (!dialog.open) dialog.showModal();
  });
  document.addEventListener("console:signed-in", () => {
    dialog.close();
    const again = waiting;
    waiting = [];
    for (const element of again) {
      if (!element.isConnected) continue;
      if (element.matches("form")) element.requestSubmit();
      else element.click();
    }
  });
}
