// A score that was clicked in a mail: the page that it opened sends it, once somebody sees the page. Without script its button does.
(() => {
  const form = document.querySelector("form[data-confirm]");
  const send = () => form.requestSubmit();
  const seen = () => document.hidden ? document.addEventListener("visibilitychange", seen, { once: true }) : send();
  if (!form) return;
  if (document.prerendering) document.addEventListener("prerenderingchange", seen, { once: true });
  else seen();
})();
