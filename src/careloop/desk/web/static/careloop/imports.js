// The upload card: the chosen file's name, a file dropped on it, how much is sent. Everything works without it.
(() => {
  "use strict";
  const form = document.querySelector("form.upload");
  if (!form) return;
  const drop = form.querySelector(".drop"), input = drop.querySelector("input"), name = drop.querySelector("[data-name]");
  const track = form.querySelector("progress");
  input.addEventListener("change", () => { if (input.files.length) name.textContent = input.files[0].name; });
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => { drop.dataset.over = ""; });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => { delete drop.dataset.over; });
  form.addEventListener("htmx:beforeRequest", () => { track.hidden = false; });
  form.addEventListener("htmx:xhr:progress", (event) => {
    if (event.detail.lengthComputable) track.value = event.detail.loaded / event.detail.total;
  });
  form.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) track.hidden = true; });
})();
