/* Names behind an @ in a note: those who may see the case, chosen with arrows and Enter or a click. Without this script a name is typed out. */
(() => {
  "use strict";
  let area = null, box = null, names = [], chosen = 0, start = -1;
  const known = new Map();

  /* The word behind the @ before the cursor, or null. An @ inside a word is a mail address. */
  const asked = (text, cursor) => {
    const found = /(^|[^A-Za-z0-9._%+-])[@＠]([^\s@＠]{0,30})$/u.exec(text.slice(0, cursor));
    return found ? { at: cursor - found[2].length - 1, word: found[2].toLowerCase() } : null;
  };
  const load = async (address) => {
    if (!known.has(address)) {
      known.set(address, fetch(address, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : { people: [] }), () => ({ people: [] })));
    }
    return (await known.get(address)).people;
  };
  const close = () => {
    box?.remove();
    box = null;
    start = -1;
    area?.removeAttribute("aria-activedescendant");
    area?.setAttribute("aria-expanded", "false");
  };
  const mark = () => {
    for (const [place, item] of [...box.children].entries()) item.setAttribute("aria-selected", String(place === chosen));
    box.children[chosen].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", `mention-${chosen}`);
  };
  const take = (name) => {
    const end = area.selectionStart, before = area.value.slice(0, start), after = area.value.slice(end);
    area.value = `${before}@${name} ${after.replace(/^ /, "")}`;
    area.setSelectionRange(start + name.length + 2, start + name.length + 2);
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const open = () => {
    if (!box) {
      box = document.createElement("ul");
      box.className = "mention-box";
      box.id = "mention-box";
      box.setAttribute("role", "listbox");
      box.setAttribute("aria-label", area.dataset.mentionsLabel);
      area.before(box);
    }
    box.replaceChildren(...names.map((name, place) => {
      const item = document.createElement("li");
      item.id = `mention-${place}`;
      item.setAttribute("role", "option");
      item.textContent = name;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
      return item;
    }));
    chosen = 0;
    area.setAttribute("aria-controls", "mention-box");
    area.setAttribute("aria-expanded", "true");
    mark();
  };
  const look = async (target) => {
    area = target;
    const wanted = asked(area.value, area.selectionStart);
    if (!wanted) { close(); return; }
    const people = await load(area.dataset.mentions);
    const still = asked(area.value, area.selectionStart);
    if (!still || still.word !== wanted.word) return;
    names = people.filter((name) => name.toLowerCase().split(/\s+/).some((part) => part.startsWith(still.word)) || name.toLowerCase().startsWith(still.word)).slice(0, 8);
    start = still.at;
    if (names.length) open(); else close();
  };

  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-mentions]") && !event.isComposing) look(event.target); });
  document.addEventListener("compositionend", (event) => { if (event.target.matches?.("[data-mentions]")) look(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target === area) close(); });
  document.addEventListener("keydown", (event) => {
    if (!box || event.target !== area || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : names.length - 1)) % names.length;
      mark();
    } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") take(names[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
