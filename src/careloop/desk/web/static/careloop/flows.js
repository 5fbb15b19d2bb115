// The flow editor: rows come and go without asking the server. Without it the same buttons send the form, which saves nothing either.
(() => {
  "use strict";
  const form = document.querySelector(".flow-form");
  if (!form) return;
  const next = (pattern) => 1 + Math.max(-1, ...[...form.elements].map((one) => Number(pattern.exec(one.name || "")?.[1] ?? -1)));
  const add = (button) => {
    const what = button.dataset.add, step = button.dataset.step, list = button.closest("[data-rows]");
    const number = what === "task" ? next(new RegExp(`^step-${step}-task-(\\d+)-`)) : next(new RegExp(`^${what}-(\\d+)-`));
    let html = document.getElementById(`new-${what}`).innerHTML;
    html = what === "task" ? html.replaceAll("__N__", step).replaceAll("__T__", number) : html.replaceAll("__N__", number);
    const made = document.createElement("template");
    made.innerHTML = html;
    const row = made.content.querySelector("[data-row]");
    list.querySelector(what === "step" || what === "task" ? ".rows-of" : "tbody").append(row);
    row.querySelector("input").focus();
  };
  const remove = (button) => {
    const row = button.closest("[data-row]"), list = row.closest("[data-rows]");
    row.remove();
    list.querySelector(":scope > .adding button").focus();
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add], [data-remove]");
    if (!button) return;
    event.preventDefault();
    if ("add" in button.dataset) add(button);
    else remove(button);
  });
})();
