// The board: dropping a card on a column sends the card's own form. Keyboards and browsers without script use the list on the card.
(() => {
  "use strict";
  let card = null;
  const column = (event) => event.target.closest?.("[data-column]");
  const unmark = () => { for (const one of document.querySelectorAll(".board .over")) one.classList.remove("over"); };
  document.addEventListener("dragstart", (event) => {
    card = event.target.closest?.("[data-card][draggable=true]") || null;
    if (!card) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.card);
    card.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const place = column(event);
    if (!card || !place) return;
    event.preventDefault();
    if (!place.classList.contains("over")) { unmark(); place.classList.add("over"); }
  });
  document.addEventListener("drop", (event) => {
    const place = column(event);
    if (!card || !place) return;
    event.preventDefault();
    if (place.contains(card)) return;
    const form = card.querySelector("form"), list = form.elements.to;
    list.add(new Option(place.dataset.column, place.dataset.column, false, true));
    form.requestSubmit();
  });
  document.addEventListener("dragend", () => {
    card?.classList.remove("is-dragged");
    card = null;
    unmark();
  });
})();
