// One verb on all ticked complaints: its form in a dialog, requests of at most 500 complaints, results, and the way back.

import { ask, fill, parse, refreshRows, tell } from "./parts.js";

const MOST = 500;
let ticks, dialog, body;

export function watchBulk(ticked) {
  ticks = ticked;
  dialog = document.querySelector("#bulk-dialog");
  body = dialog.querySelector("#bulk-body");
  document.addEventListener("console:bulk", (event) => open(event.detail));
  body.addEventListener("click", (event) => {
    if (!event.target.closest("#bulk-cancel")) return;
    event.preventDefault();
    dialog.close();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("#bulk-form, form.undo")) return;
    event.preventDefault();
    if (!form.busy) send(form).finally(() => { form.busy = false; });
  });
}

async function open(verb) {
  const kept = body.querySelector("form");
  if (kept?.busy) return dialog.showModal();
  if (kept?.dataset.verb !== verb || kept.left?.length) {
    const answer = await ask(`/console/bulk?verb=${verb}`);
    if (!answer?.ok) return tell(document.querySelector("#flash"), answer);
    showForm(await answer.text());
  } else count(kept);
  dialog.showModal();
}

function showForm(html) {
  body.replaceChildren(parse(html));
  count(body.querySelector("form"));
}

function count(form) {
  const all = ticks.ids().length, question = form.querySelector("#bulk-question");
  form.elements.count.value = all;
  for (const one of form.querySelectorAll("[data-words]")) fill(one, { count: all });
  question.hidden = all <= Number(form.dataset.asksAbove);
  form.elements.confirmed.required = !question.hidden;
}

// Parts that are still to be sent stay with the form: sent again, each has its first name and its first content.
function cut(form) {
  const isUndo = form.matches(".undo"), name = isUndo ? "step" : "id";
  const values = isUndo ? new FormData(form).getAll("step") : ticks.ids();
  const fields = new FormData(form);
  fields.delete(name);
  form.left = [];
  for (let at = 0; at < values.length; at += MOST) {
    const part = new URLSearchParams(fields);
    part.set("attempt", `${fields.get("attempt")}-${at}`);
    for (const value of values.slice(at, at + MOST)) part.append(name, value);
    form.left.push(part);
  }
  if (!isUndo) freeze(form);
  form.result = { done: 0, toast: null, failed: [], all: form.left.length };
}

// Nobody changes the fields of parts that are cut: the reader sees the content that goes out.
function freeze(form) {
  for (const one of form.querySelectorAll("input, select, textarea")) one.disabled = true;
  form.querySelector("button").focus();
}

async function send(form) {
  form.busy = true;
  if (!form.left?.length) cut(form);
  const bar = form.querySelector("progress"), { result } = form;
  while (form.left.length) {
    if (bar) Object.assign(bar, { hidden: result.all < 2, value: 1 - form.left.length / result.all });
    form.left[0].set("done", result.done);
    const answer = await ask(form.action, { method: "POST", body: form.left[0] });
    if (answer?.status === 422 && form.id === "bulk-form") return showForm(await answer.text());
    if (!answer?.ok) return tell(form.querySelector("#bulk-fault") ?? document.querySelector("#flash"), answer);
    await take(form, parse(await answer.text()));
  }
  finish(form);
}

async function take(form, made) {
  const { result } = form, toast = made.querySelector(".bulk-toast"), sent = form.left.shift();
  const failed = [...made.querySelectorAll(".bulk-failed li")], refused = failed.map((one) => one.dataset.id);
  const ids = sent.getAll("id").concat(sent.getAll("step").map((step) => JSON.parse(step).complaint));
  result.done += ids.length - failed.length;
  result.failed.push(...failed);
  result.title = made.querySelector(".bulk-failed-title");
  const steps = [...(result.toast?.querySelectorAll("[name=step]") ?? [])];
  if (steps.length && !toast.querySelector("form")) toast.append(result.toast.querySelector("form"));
  else toast.querySelector("form")?.prepend(...steps);
  result.toast = toast;
  if (form.id === "bulk-form") ticks.untick(ids.filter((id) => !refused.includes(id)));
  await refreshRows(ids);
}

function finish(form) {
  const { result } = form, flash = document.querySelector("#flash");
  flash.replaceChildren(...(result.done ? [result.toast] : []));
  document.dispatchEvent(new CustomEvent("console:done"));
  if (!result.failed.length) {
    dialog.close();
    body.replaceChildren();
    return;
  }
  fill(result.title, { count: result.failed.length });
  result.title.hidden = false;
  const list = document.createElement("ul");
  list.className = "bulk-failed";
  list.append(...result.failed);
  const close = document.createElement("form");
  close.method = "dialog";
  close.append(document.querySelector("#bulk-close").content.cloneNode(true));
  body.replaceChildren(result.title, list, close);
  if (!dialog.open) dialog.showModal();
}
