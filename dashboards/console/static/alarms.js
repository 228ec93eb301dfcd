// Alarm pages: an act that is on its way says so until the server has confirmed it, and the list never moves under a
// thumb. Without this file every button still works, as a plain form.
"use strict";
(() => {
  const AGAIN_MS = 4000, IDLE_MS = 15000;
  let touchedMs = 0, hasTaken = false;

  for (const name of ["pointerdown", "keydown", "scroll"])
    addEventListener(name, () => { touchedMs = Date.now(); }, { passive: true });

  function tell(form, word) {
    const status = form.parentElement.querySelector("[role=status]");
    if (status && status.dataset[word]) status.textContent = status.dataset[word];
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  }
  function again(form) {
    if (form.isConnected) setTimeout(() => form.isConnected && htmx.trigger(form, "submit"), AGAIN_MS);
  }
  const taking = (event) => event.detail.elt.closest && event.detail.elt.closest("form[data-take]");

  // The occurrence is named in the address, so that sending twice does it once.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = taking(event);
    if (!form) return;
    hasTaken = true;
    tell(form, "sending");
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"])
    document.addEventListener(name, (event) => {
      const form = taking(event);
      if (!form) return;
      const status = event.detail.xhr ? event.detail.xhr.status : 0;
      if (status >= 400 && status < 500) return location.reload();
      tell(form, "unsent");
      again(form);
    });

  // Whoever looks on gets the worst first. Whoever touches the page, or has taken an alarm, keeps the order: an answer
  // that was asked for before that is left, and asked for again.
  const keepsOrder = () => hasTaken || Date.now() - touchedMs < IDLE_MS;
  function refresh() {
    const rows = document.getElementById("rows");
    const isSending = document.querySelector("form[data-take] button:disabled:not([data-lost])");
    if (!rows || !("keep" in rows.dataset) || isSending) return;
    const query = new URLSearchParams(location.search);
    if (keepsOrder()) query.set("keep", rows.dataset.keep);
    htmx.ajax("GET", "/alarms/rows?" + query, { target: "#rows", swap: "outerHTML" });
  }
  document.body.addEventListener("sse:alarms", refresh);
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.pathInfo.requestPath;
    if (!asked.startsWith("/alarms/rows?") || asked.includes("keep=") || !keepsOrder()) return;
    event.detail.shouldSwap = false;
    refresh();
  });
})();
