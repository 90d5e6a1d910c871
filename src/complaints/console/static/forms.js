// Forms: a failure never replaces what is typed, keys send and close, and a list gives the next complaint.

import { keepNow } from "./drafts.js";

const LIST = "console-list";
const flash = () => document.getElementById("flash");
let sentForNext = null;
let opener = null;

export function watchForms() {
  document.addEventListener("htmx:before:response", leaveOutStrangers);
  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.sourceElement.matches("#actions form")) flash().replaceChildren();
  });
  document.addEventListener("htmx:after:request", (event) => {
    showFailure(event.detail.ctx);
    goOn(event.detail.ctx);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.request) tell(flash().dataset.offline);
  });
  document.addEventListener("htmx:after:swap", placeFocus);
  focusFirst(document.getElementById("action-form"));
  document.addEventListener("keydown", useKey);
  document.addEventListener("click", noteClick);
  addEventListener("pagehide", keepList);
}

// An answer of the console varies by HX-Request. That of a proxy does not, and must not get into the page.
function leaveOutStrangers(event) {
  const { response } = event.detail.ctx;
  const isOurs = response.headers.get("Vary")?.includes("HX-Request") || response.status === 204;
  if (isOurs || response.status === 401) return;
  event.preventDefault();
  response.raw.text(); // an answer that nobody reads stays open
  tell(flash().dataset.failed.replace("{status}", response.status));
}

// htmx puts no answer with a status of 5xx into the page. Ours say what happened.
function showFailure(ctx) {
  if (ctx.response.status < 500) return;
  const shown = new DOMParser().parseFromString(ctx.text, "text/html").body;
  flash().replaceChildren(...shown.childNodes);
}

function tell(text) {
  const box = document.createElement("div");
  box.className = "flash";
  box.setAttribute("role", "alert");
  box.textContent = text;
  flash().replaceChildren(box);
}

function placeFocus(event) {
  const area = document.getElementById("action-form");
  if (area && event.detail.ctx.target === area) focusFirst(area);
}

// Also where the form is a page of its own.
function focusFirst(area) {
  area?.querySelector("[aria-invalid], .notice button, textarea, select, input:not([type=hidden])")?.focus();
}

function useKey(event) {
  const form = event.target.closest?.("form");
  if (!form || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    sentForNext = event.shiftKey ? form : null;
    const button = form.querySelector("button:not([form], [disabled])");
    if (button) form.requestSubmit(button);
  } else if (event.key === "Escape" && form.closest("#action-form")) {
    close(form);
  }
}

function noteClick(event) {
  const at = event.target.closest("a, button");
  if (!at) return;
  if (at.matches("[data-close]") && at.closest("#action-form")) {
    event.preventDefault();
    close(at.closest("form"));
  } else if (at.closest("#actions") && !at.closest("#action-form")) {
    opener = at;
  }
}

function close(form) {
  keepNow(form);
  document.getElementById("action-form").replaceChildren();
  (opener?.isConnected ? opener : document.querySelector("#actions a.btn"))?.focus();
}

function keepList() {
  const links = [...document.querySelectorAll("#rows a[href^='/console/complaints/']")];
  const found = [...new Set(links.map((link) => link.getAttribute("href")))];
  if (found.length) sessionStorage.setItem(LIST, JSON.stringify(found));
}

function goOn({ sourceElement, response }) {
  if (sourceElement !== sentForNext) return;
  sentForNext = null;
  if (response.status >= 300) return;
  const list = JSON.parse(sessionStorage.getItem(LIST) ?? "[]");
  const here = list.findIndex((address) => location.pathname.startsWith(address));
  if (here >= 0 && here + 1 < list.length) location.assign(list[here + 1]);
}
