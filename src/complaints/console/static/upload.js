// Sends a file of a form to the API: the body is the file itself, and a bar shows the progress.

import { reader } from "./session.js";

export function watchUploads() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-upload]")) return;
    event.preventDefault();
    send(form, form.elements.file.files[0]);
  });
}

function send(form, file) {
  const [progress, fault, button] = ["progress", ".fault", "button"].map((one) => form.querySelector(one));
  const request = new XMLHttpRequest();
  const finish = (said) => {
    button.disabled = false;
    progress.hidden = true;
    fault.hidden = !said;
    fault.textContent = said;
  };
  request.upload.onprogress = (event) => { progress.value = (100 * event.loaded) / event.total; };
  request.onerror = () => finish(fault.dataset.failed);
  request.onload = () => {
    if (request.status !== 201) return finish(detailOf(request) || fault.dataset.failed);
    finish("");
    form.reset();
    document.body.dispatchEvent(new CustomEvent("console:complaint-changed", { bubbles: true }));
  };
  finish("");
  button.disabled = true;
  progress.hidden = false;
  request.open("POST", `${form.dataset.upload}?visibility=${form.elements.visibility.value}`);
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.setRequestHeader("Content-Disposition", `attachment; filename*=UTF-8''${encode(file.name)}`);
  request.setRequestHeader("Accept-Language", document.documentElement.lang);
  for (const [name, value] of Object.entries(reader())) request.setRequestHeader(name, value);
  request.send(file);
}

const encode = (name) => encodeURIComponent(name).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);

function detailOf(request) {
  try {
    const problem = JSON.parse(request.responseText);
    return problem.detail || problem.title;
  } catch {
    return "";
  }
}
