/* What the pages do beyond htmx: keys, drafts, dialogs, live updates. Plain script; texts come translated from #words. */
(() => {
  "use strict";
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = JSON.parse(find("#words")?.textContent || "{}");
  const desk = () => find(".desk[data-stream]");

  /* One run of `act` some time after the first of many calls. */
  const waiting = new Map();
  const soon = (name, pause, act) => {
    if (!waiting.has(name)) waiting.set(name, setTimeout(() => { waiting.delete(name); act(); }, pause));
  };

  /* ---------- toasts, dialogs, panels ---------- */
  const toast = (text) => {
    const place = find("#refusals");
    if (!place) return;
    const box = document.createElement("div");
    box.className = "toast error";
    box.setAttribute("role", "alert");
    box.textContent = text;
    place.replaceChildren(box);
    setTimeout(() => box.remove(), 12000);
  };
  const screen = (name) => { if (desk()) desk().dataset.screen = name; };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    if (on("[data-dismiss]")) on(".toast").remove();
    if (on("[data-open-dialog]")) {
      find("#user-menu")?.hidePopover?.();
      document.getElementById(on("[data-open-dialog]").dataset.openDialog).showModal();
    }
    if (on("[data-close-dialog]") || event.target.matches("dialog")) event.target.closest("dialog").close();
    if (on("[data-show-side]")) { screen(desk().dataset.screen === "side" ? "case" : "side"); find("[data-hide-side]")?.focus(); }
    if (on("[data-hide-side]")) screen("case");
    if (on("[data-reads]") && find("[data-show-side]")?.offsetParent) screen("side");
    if (on(".msg .body") && !on("a, mark") && getSelection().isCollapsed) on(".msg").querySelector("[data-reads]")?.click();
    if (on("[data-clear-refusals]")) find("#case-refusals").replaceChildren();
    if (on("[data-mode]")) write(on("[data-mode]").dataset.mode);
    if (on("#newbar")) loadNew();
    if (on("[data-take-draft]")) takeDraft(on(".machine"));
    if (on("[data-take-solution]")) takeText(find("[data-reply]", on("[data-offered]")).textContent);
    if (on("[data-to-message]") && showMessage(on("[data-to-message]").dataset.toMessage)) event.preventDefault();
    const open = find("details.filters[open]");
    if (open && !open.contains(event.target)) open.open = false;
  });

  /* ---------- time worked: a sign that one is here says whether one was active within a minute, in a window that is seen ---------- */
  let lastInput = Date.now();
  for (const kind of ["pointermove", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(kind, () => { lastInput = Date.now(); }, { passive: true, capture: true });
  }
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.path.endsWith("/here/")) return;
    event.detail.parameters.active = document.visibilityState === "visible" && Date.now() - lastInput < 60000 ? "1" : "0";
  });

  /* ---------- writing: modes and drafts ---------- */
  const draftKey = (area) => `careloop.draft.${desk()?.dataset.viewer}.${find("#composer").dataset.case}.${area.dataset.draft}`;
  const write = (mode, focus = true) => {
    for (const button of all("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    for (const form of all("#composer form[id]")) form.hidden = form.id !== `${mode}-form`;
    if (focus) find(`#${mode}-form textarea`)?.focus();
  };
  /* A machine's draft becomes a person's text: behind what stands there already, ready to be changed. */
  const takeText = (text) => {
    const area = find("#reply-form textarea");
    area.value = [area.value.trim(), text.trim()].filter(Boolean).join("\n\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    write("reply");
    area.setSelectionRange(area.value.length, area.value.length);
  };
  const takeDraft = (box) => {
    takeText(find("[data-made]", box).innerText);
    find("[data-offer]", box).remove();
    find("[data-take-draft]", box).remove();
  };
  const showMessage = (id) => {
    const message = find(`#message-${id}`);
    if (!message) return false;
    screen("case");
    message.scrollIntoView({ block: "center" });
    message.classList.add("is-shown");
    setTimeout(() => message.classList.remove("is-shown"), 2000);
    return true;
  };
  const arrived = (text) => {
    const place = find("[data-arrived]");
    if (!place) return;
    place.textContent = text;
    place.className = text ? "chip warn" : "";
  };
  const restoreDrafts = () => {
    for (const area of all("#composer [data-draft]")) {
      const kept = localStorage.getItem(draftKey(area));
      if (kept && !area.value) { area.value = kept; if (area.dataset.draft === "note" && !find("#reply-form textarea").value) write("note", false); }
    }
  };
  document.addEventListener("input", (event) => {
    const area = event.target.closest?.("[data-draft]");
    if (!area) return;
    area.dataset.typed = "yes";
    if (area.value) localStorage.setItem(draftKey(area), area.value); else localStorage.removeItem(draftKey(area));
    const saved = find("[data-saved]", area.form);
    if (saved) saved.textContent = area.value ? words.saved : "";
  });
  /* What is still to be saved when a text is sent is not saved any more: it would forget a reply that is taken back meanwhile. */
  document.addEventListener("htmx:configRequest", (event) => {
    const area = event.detail.path.endsWith("/typed/") && find(event.detail.elt.getAttribute("hx-include"));
    if (area && !area.dataset.typed) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-forget-drafts]")) return;
    for (const key of Object.keys(localStorage)) if (key.startsWith("careloop.draft.")) localStorage.removeItem(key);
  });
  document.addEventListener("careloop:done", (event) => {
    find("#case-refusals")?.replaceChildren();
    arrived("");
    const area = event.detail.sent && find(`#${event.detail.sent}-form textarea`);
    if (area && find("#composer").dataset.case === String(event.detail.case)) {
      localStorage.removeItem(draftKey(area));
      area.value = "";
      delete area.dataset.typed;
      find("[data-saved]", area.form).textContent = "";
      area.blur();
      toEnd();
    }
    refreshRow(event.detail.case);
    refreshCounts();
  });

  /* ---------- the case and its row ---------- */
  const toEnd = () => { const thread = find("#thread"); if (thread) thread.scrollTop = thread.scrollHeight; };
  const openCase = () => find("#work")?.dataset.case;
  const markOpen = () => {
    for (const row of all(".row")) {
      if (row.dataset.case === openCase()) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
    }
  };
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  const settle = () => {
    if (mac) for (const keys of all("[data-send-keys]")) keys.textContent = "⌘↵";
    markOpen();
    find("#tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    restoreDrafts();
    retitle();
  };

  let stuckToEnd = true;
  const noteEnd = () => {
    const thread = find("#thread");
    stuckToEnd = !thread || thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Retarget")) { event.detail.shouldSwap = true; event.detail.isError = false; }
    noteEnd();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const swapped = event.detail.target?.id;
    if (swapped === "work") { screen("case"); toEnd(); }
    if (swapped === "list" || swapped === "inbox") {
      fresh.clear();
      many = false;
      showFresh();
      const here = find(".row[aria-current]");
      here?.scrollIntoView({ block: "nearest" });
    }
    settle();
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => { if (event.detail.target.id === "thread" && stuckToEnd) toEnd(); });
  document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status !== 401) toast(words.failed); });
  document.addEventListener("htmx:sendError", () => toast(words.unanswered));

  /* An address says only what differs from the plain inbox. */
  const plain = { view: "open", sort: "newest" };
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "filters") return;
    const given = event.detail.formData;
    for (const [name, value] of [...given.entries()]) if (!value || plain[name] === value) given.delete(name);
  });

  /* ---------- keys ---------- */
  const typing = (element) => element.matches("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]");
  const move = (step) => {
    const rows = all(".row");
    const here = rows.indexOf(document.activeElement.closest(".row") || find(".row[aria-current]"));
    const next = rows[here < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, here + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const press = (key) => {
    const target = all(`[data-key="${CSS.escape(key)}"]`).find((one) => one.offsetParent !== null);
    if (!target) return false;
    if (target.matches("button, a")) target.click();
    else { target.focus(); if (target.matches("select")) target.showPicker?.(); else target.select?.(); }
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit(find("button.primary", event.target.form));
      return;
    }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.key === "Escape" && desk()?.dataset.screen === "side") { screen("case"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || find("dialog[open]")) return;
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    else if (event.key === "?") find("#keys")?.showModal();
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  /* ---------- live ---------- */
  const fresh = new Set();
  let many = false;
  const retitle = () => {
    const plain = document.title.replace(/^\(\d+\) /, "");
    document.title = fresh.size ? `(${fresh.size}) ${plain}` : plain;
  };
  const showFresh = () => {
    const bar = find("#newbar");
    if (bar) {
      bar.hidden = fresh.size === 0 && !many;
      find("span", bar).textContent = many ? words.many : words.fresh.replace("{count}", fresh.size);
    }
    retitle();
  };
  /* Fetch a part and put it in place, unless `unless` says at that moment that it would disturb; requests of htmx itself queue per
     element and would drop each other. */
  const put = async (address, selector, swapStyle, unless = () => false) => {
    const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": selector.slice(1) } }).catch(() => null);
    if (!answer?.ok) return;
    const text = await answer.text();
    const target = find(selector);
    if (!target || unless()) return;
    noteEnd();
    htmx.swap(target, text, { swapStyle, swapDelay: 0, settleDelay: 0 }, { eventInfo: { target } });
    settle();
  };
  const loadNew = () => put(desk().dataset.inbox + location.search, "#list", "outerHTML");
  const refreshCounts = () => soon("counts", 700, () => { if (find("#tabs")) put(desk().dataset.counts + location.search, "#tabs", "outerHTML"); });
  const refreshRow = (id) => soon(`row-${id}`, 250, async () => {
    if (!find(`#row-${id}`)) return;
    const focused = document.activeElement.id === `row-${id}`;
    await put(`/cases/${id}/row/${location.search}`, `#row-${id}`, "outerHTML");
    if (focused) find(`#row-${id}`)?.focus();
  });
  /* Never under somebody's hands: while a list of the head is in use, the case waits. */
  const refreshCase = () => soon("case", 250, () => {
    const work = find("#work[data-case]");
    if (!work) return;
    const disturbs = () => {
      const waits = document.activeElement.matches("#case-head select");
      if (waits) refreshCase();
      return waits || find("#work") !== work;
    };
    const chosen = find("#side")?.dataset.reading;
    const address = chosen ? `${work.dataset.parts}${work.dataset.parts.includes("?") ? "&" : "?"}reading=${chosen}` : work.dataset.parts;
    if (!disturbs()) put(address, "#work", "none", disturbs);
  });
  const refreshAll = () => { many = true; showFresh(); refreshCounts(); refreshCase(); for (const row of all(".row")) refreshRow(row.dataset.case); };
  const happened = (fact) => {
    if (fact.from_customer) { fresh.add(fact.case); showFresh(); }
    if (String(fact.case) === openCase()) {
      refreshCase();
      if (fact.from_customer && find("#reply-form textarea")?.value) arrived(words.arrived);
    }
    refreshRow(fact.case);
    refreshCounts();
  };

  const sign = (text) => {
    let box = find(".offline");
    if (!text) { box?.remove(); return; }
    if (!box) {
      box = document.createElement("div");
      box.className = "offline";
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    box.textContent = text;
  };
  let source, wait = 1000, last;
  const listen = () => {
    source = new EventSource(`${desk().dataset.stream}?after=${last}`, { withCredentials: true });
    source.onopen = () => { wait = 1000; sign(""); desk().dataset.live = "yes"; };
    source.addEventListener("case", (event) => { last = event.lastEventId; happened(JSON.parse(event.data)); });
    source.addEventListener("reset", (event) => { last = event.lastEventId; refreshAll(); });
    source.onerror = () => {
      source.close();
      delete desk().dataset.live;
      setTimeout(listen, wait * (1 + Math.random() / 2));
      wait = Math.min(wait * 2, 30000);
      fetch(desk().dataset.counts, { headers: { "HX-Request": "true" } }).then(
        (answer) => sign(answer.status === 401 ? words.signed_out : words.offline),
        () => sign(words.offline),
      );
    };
  };

  document.addEventListener("DOMContentLoaded", () => {
    settle();
    for (const here of all(".places [aria-current], .pages-of [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
    toEnd();
    if (!desk()) return;
    last = desk().dataset.after;
    listen();
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  });
})();
