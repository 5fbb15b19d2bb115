// The macro picker: arrows walk through the list, Enter takes the first, and the text comes to where the cursor was.
(() => {
  "use strict";
  const picker = () => document.getElementById("macro-picker");
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest("#macro-picker");
    if (!box || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    const search = box.querySelector("input"), found = [...box.querySelectorAll(".found button")];
    if (event.key === "Enter") {
      if (event.target === search) { event.preventDefault(); found[0]?.click(); }
      return;
    }
    event.preventDefault();
    const here = found.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    (found[here] || (here < 0 ? search : found.at(-1)))?.focus();
  });
  document.addEventListener("careloop:macro", () => {
    const text = document.getElementById("macro-taken").textContent;
    const area = document.querySelector("#composer form:not([hidden]) textarea");
    picker()?.close();
    if (!area || !text) return;
    const start = area.selectionStart;
    area.setRangeText(text, start, area.selectionEnd, "end");
    const mark = /⟦[^⟧]*⟧/.exec(text);
    area.focus();
    if (mark) area.setSelectionRange(start + mark.index, start + mark.index + mark[0].length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
