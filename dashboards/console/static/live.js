// What keeps a page alive: one EventSource, the age of everything, and the banner when the server is lost.
//
// A page says what it follows: elements with data-point="NAME" get the point's newest value (data-digits decimals),
// elements with data-age="MS" count on. Parts refresh themselves with hx-trigger="sse:alarms from:body", and scripts
// listen on the body for "sse:values" (detail: point -> [t_ms, value or null, quality]) and "sse:beat".
"use strict";
(() => {
  const LOST_AFTER_MS = 2500, AGAIN_MS = 2000, LOOK_MS = 250;
  const body = document.body;
  const byId = (id) => document.getElementById(id);
  let source = null, heardMs = Date.now(), heardClock = "", serverMs = 0, isLost = false;

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf]").content;
  });
  if (!("live" in body.dataset)) return;

  const words = (zh, en) => (document.documentElement.lang === "zh" ? zh : en);
  function duration(ms) {
    const s = Math.max(Math.floor(ms / 1000), 0), d = Math.floor(s / 86400), h = Math.floor((s % 86400) / 3600);
    const m = Math.floor((s % 3600) / 60), mm = String(m).padStart(2, "0");
    if (d) return h ? words(`${d} 天 ${h} 小时`, `${d} d ${h} h`) : words(`${d} 天`, `${d} d`);
    if (h) return words(`${h} 小时 ${mm} 分`, `${h} h ${mm}`);
    return m ? words(`${m} 分钟`, `${m} min`) : words(`${s} 秒`, `${s} s`);
  }
  function tellAges() {
    for (const one of document.querySelectorAll("[data-age]")) {
      const text = duration(serverMs - Number(one.dataset.age));
      if (one.textContent !== text) one.textContent = text;
    }
  }
  function tell(name, detail) {
    body.dispatchEvent(new CustomEvent("sse:" + name, { detail }));
  }

  function onBeat(event) {
    const [ms, clock, trouble] = event.data.split(" ");
    heardMs = Date.now();
    [serverMs, heardClock] = [Number(ms), clock];
    byId("clock").textContent = clock;
    byId("away").hidden = trouble !== "store";
    if (isLost) setLost(false);
    tellAges();
    tell("beat", serverMs);
  }
  function onValues(event) {
    const values = JSON.parse(event.data);
    for (const one of document.querySelectorAll("[data-point]")) {
      const found = values[one.dataset.point];
      if (!found) continue;
      one.textContent = found[1] === null ? "–" : found[1].toFixed(Number(one.dataset.digits || 2));
      one.classList.toggle("old", found[2] >= 8);
    }
    tell("values", values);
  }
  function onAlarms(event) {
    if (window.htmx) htmx.ajax("GET", "/bar", { target: "#unack", swap: "outerHTML" });
    tell("alarms", JSON.parse(event.data));
  }

  function open() {
    const points = new Set(Array.from(document.querySelectorAll("[data-point]"), (one) => one.dataset.point));
    const query = new URLSearchParams(Array.from(points, (point) => ["points", point]));
    source = new EventSource("/live?" + query);
    source.addEventListener("beat", onBeat);
    source.addEventListener("values", onValues);
    source.addEventListener("alarms", onAlarms);
    source.addEventListener("ended", () => location.reload());
    source.onerror = () => {
      // The browser tries again by itself, except where it was refused.
      if (source && source.readyState === EventSource.CLOSED) setTimeout(reopen, AGAIN_MS);
    };
  }
  function close() {
    if (source) source.close();
    source = null;
  }
  function reopen() {
    close();
    if (!document.hidden) open();
  }

  function setLost(lost) {
    isLost = lost;
    const banner = byId("gone");
    body.classList.toggle("lost", lost);
    banner.hidden = !lost;
    banner.firstElementChild.textContent = `${banner.dataset.since} ${heardClock || byId("clock").textContent}`;
    for (const button of document.querySelectorAll("main button, main input[type=submit]")) {
      if (lost && !button.disabled) {
        button.disabled = true;
        button.dataset.lost = "";
      } else if (!lost && "lost" in button.dataset) {
        button.disabled = false;
        delete button.dataset.lost;
      }
    }
  }

  setInterval(() => {
    if (!isLost && !document.hidden && Date.now() - heardMs > LOST_AFTER_MS) setLost(true);
  }, LOOK_MS);
  // Nobody reads a hidden page, and a browser opens only six connections to one server.
  document.addEventListener("visibilitychange", () => {
    heardMs = Date.now();
    reopen();
  });
  // Forms that htmx puts in place while the server is lost are shut too.
  document.addEventListener("htmx:afterSettle", () => isLost && setLost(true));
  byId("retry").addEventListener("click", () => location.reload());
  open();
})();
