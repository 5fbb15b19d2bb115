/* Ticking cases of the inbox: the mode, ranges with Shift, how many are chosen. */
(() => {
  "use strict";
  const list = () => document.querySelector("#list");
  const boxes = () => [...document.querySelectorAll("#list .picks input")];
  const bar = () => document.querySelector("#bulk-form");
  let last = null;

  const count = () => {
    if (!bar()) return;
    const all = bar().querySelector("[data-all]");
    const n = all.checked ? Number(all.dataset.all) : boxes().filter((box) => box.checked).length;
    const words = bar().querySelector("[data-chosen]");
    words.textContent = words.dataset.words.replace("{n}", n);
    bar().querySelector("[data-preview]").disabled = n === 0;
  };
  const select = async (on) => {
    const place = document.querySelector("#bulk");
    if (!place) return;
    list().toggleAttribute("data-selecting", on);
    document.querySelector("[data-select-cases]").setAttribute("aria-pressed", String(on));
    last = null;
    if (!on) { for (const box of boxes()) box.checked = false; place.replaceChildren(); return; }
    await htmx.ajax("GET", place.dataset.bar, { target: "#bulk", swap: "innerHTML" });
    count();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-select-cases]")) { select(!list().hasAttribute("data-selecting")); return; }
    const box = event.target.closest(".picks input");
    if (!box) return;
    const every = boxes(), from = every.indexOf(last), to = every.indexOf(box);
    if (event.shiftKey && from >= 0) for (const one of every.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    last = box;
    const all = bar()?.querySelector("[data-all]");
    if (all && !box.checked) all.checked = false;
    count();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const box of boxes()) box.checked = event.target.checked;
    count();
  });
  document.addEventListener("keydown", async (event) => {
    const at = event.target, isBox = at.matches?.(".picks input");
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (!list() || (!isBox && at.closest?.("input, textarea, select, [contenteditable]"))) return;
    event.preventDefault();
    const row = at.closest?.(".pickable");
    if (!list().hasAttribute("data-selecting")) await select(true);
    (row?.querySelector(".picks input") ?? boxes()[0])?.focus();
    if (row) row.querySelector(".picks input").click();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "list") document.querySelector("[data-select-cases]")?.setAttribute("aria-pressed", "false");
  });
})();
