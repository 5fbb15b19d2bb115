// Rule forms: offers the comparisons and values that a fact or an action has. Everything can be typed without it.
(() => {
  "use strict";
  const offer = (input, id) => (document.getElementById(id) ? input.setAttribute("list", id) : input.removeAttribute("list"));
  const fitCondition = (row) => {
    const fact = row.querySelector("[data-fact]"), op = row.querySelector("[data-op]"), input = row.querySelector("input");
    const allowed = (fact.selectedOptions[0].dataset.ops || "").split(" ").filter(Boolean);
    for (const option of op.options) option.hidden = option.disabled = allowed.length > 0 && !allowed.includes(option.value);
    if (op.selectedOptions[0]?.disabled) op.value = allowed[0];
    input.readOnly = ["is_empty", "is_set"].includes(op.value);
    if (input.readOnly) input.value = "";
    offer(input, `values-${fact.value}`);
  };
  const fitAction = (row) => {
    const chosen = row.querySelector("[data-act]").selectedOptions[0], input = row.querySelector("input");
    input.readOnly = "alone" in chosen.dataset;
    if (input.readOnly) input.value = "";
    input.placeholder = chosen.dataset.hint || "";
    offer(input, `of-${chosen.value}`);
  };
  for (const [selector, fit] of [[".condition", fitCondition], [".act", fitAction]])
    for (const row of document.querySelectorAll(selector)) {
      fit(row);
      row.addEventListener("change", (event) => { if (event.target.matches("select")) fit(row); });
    }
})();
