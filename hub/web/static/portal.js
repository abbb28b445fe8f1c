// Small comforts; every page works without them.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  navigator.clipboard.writeText(button.dataset.copy).then(() => {
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1200);
  });
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("submit", (event) => {
  const question = event.submitter && event.submitter.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  const form = event.target;
  if ("busy" in form.dataset) {
    event.preventDefault(); // a second press while the first is under way
    return;
  }
  if ("stays" in form.dataset) return;
  form.dataset.busy = "";
  form.setAttribute("aria-busy", "true");
  const note = document.createElement("p");
  note.className = "busy";
  note.setAttribute("role", "status");
  note.textContent = document.body.dataset.busy;
  (event.submitter || form.lastElementChild).after(note);
});

// A page that comes back from the browser's memory is not at work any more.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) {
    delete form.dataset.busy;
    form.removeAttribute("aria-busy");
    form.querySelectorAll(".busy").forEach((note) => note.remove());
  }
});
