// A session may end while somebody types. A dialog asks to sign in, and the same request is sent again.

let waiting = new Map();

// Another user may sign in in another tab. The server then refuses what this page sends.
export const reader = () => ({ "Console-Login": encodeURIComponent(document.body.dataset.login) });

export function watchSession() {
  const dialog = document.querySelector("dialog#sign-in");
  if (!dialog) return;
  document.addEventListener("htmx:config:request", (event) => Object.assign(event.detail.ctx.request.headers, reader()));
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status !== 401 || dialog.contains(ctx.sourceElement)) return;
    event.preventDefault();
    ctx.response.raw.text(); // an answer that nobody reads stays open
    waiting.set(ctx.sourceElement, ctx.request.submitter);
    if (!dialog.open) dialog.showModal();
  });
  dialog.addEventListener("cancel", () => waiting.clear());
  document.addEventListener("console:signed-in", () => {
    // Another user must not send what this one typed. The drafts wait for their own user.
    if (dialog.querySelector("[name=login]").value.trim() !== document.body.dataset.login) return location.reload();
    dialog.close();
    const again = waiting;
    waiting = new Map();
    for (const [element, submitter] of again) {
      if (!element.isConnected) continue;
      if (element.matches("form")) element.requestSubmit(submitter?.isConnected ? submitter : null);
      else element.click();
    }
  });
}
