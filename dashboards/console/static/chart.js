/* Draws a point's past with uPlot: band from smallest to largest, mean, limits, alarms, and the strip of what the data are worth.
   Everything drawn comes from one answer of the API; where that fails, what stands stays and says how old it is. */
"use strict";
(() => {
  const INK = "#222", SERIES = "#5a6066", BAND = "#bfc2c1", TARGET = "#9aa0a6", LINE = "#c2c3c0", MUTE = "#4a4f54";
  const AXIS = 50, HEIGHT = 250, LANE = 16, REFRESH_MS = 30000, DAY_S = 86400;
  const FONT = "12px " + getComputedStyle(document.documentElement).getPropertyValue("--f");
  const SVG = "http://www.w3.org/2000/svg";

  document.querySelectorAll(".plot").forEach(start);

  function start(figure) {
    const plot = { figure, words: JSON.parse(figure.dataset.words), whole: figure.dataset.series, address: figure.dataset.series };
    plot.said = add(figure, "p", "said");
    plot.note = add(figure, "p", "note", plot.words.waiting);
    plot.back = add(figure, "button", "btn sm back", plot.words.whole);
    plot.back.type = "button";
    plot.back.hidden = true;
    plot.back.addEventListener("click", () => show(plot, plot.whole));
    show(plot, plot.whole);
    if (figure.dataset.live) setInterval(() => document.hidden || show(plot, plot.address), REFRESH_MS);
    new ResizeObserver(() => plot.u && fit(plot)).observe(figure);
  }

  async function show(plot, address) {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      plot.chart = await answer.json();
      plot.address = address;
      plot.figure.classList.remove("kept");
      plot.back.hidden = address === plot.whole;
      draw(plot);
      settle(plot, plot.chart.trend.valued ? "" : plot.words.nothing);
    } catch {
      plot.figure.classList.toggle("kept", Boolean(plot.chart));
      settle(plot, plot.chart ? plot.words.kept + " " + clock(plot, plot.chart.now_ms / 1000, "day") : plot.words.failed);
    }
  }

  function settle(plot, text) {
    plot.note.textContent = text;
    plot.note.hidden = !text;
    rest(plot);
  }

  function draw(plot) {
    const { trend } = plot.chart;
    const data = [trend.t_ms.map((t) => t / 1000), trend.low, trend.high, trend.mean];
    plot.range = range(plot);
    if (plot.u) plot.u.destroy();
    plot.u = new uPlot(options(plot), data, plot.figure);
    plot.lane ??= document.createElementNS(SVG, "svg");
    plot.lane.setAttribute("class", "lane");
    plot.lane.setAttribute("role", "img");
    plot.figure.append(plot.lane);
  }

  function options(plot) {
    const { trend } = plot.chart;
    const line = plot.figure.dataset.stepped ? uPlot.paths.stepped({ align: -1 }) : undefined;
    const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false, paths: line };
    return {
      width: plot.figure.clientWidth, height: HEIGHT, legend: { show: false },
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), plot.figure.dataset.zone),
      padding: [16, 20, 0, 0],
      scales: { x: { range: [trend.start_ms / 1000, trend.end_ms / 1000] }, y: { range: plot.range } },
      series: [{}, edge, edge, { stroke: SERIES, width: 1.5, spanGaps: false, paths: line, points: { show: lonely } }],
      bands: [{ series: [2, 1], fill: BAND }],
      axes: [
        { stroke: MUTE, font: FONT, size: 26, space: 64, grid: { show: false }, ticks: { show: false }, values: (u, at) => ticks(plot, at) },
        { stroke: MUTE, font: FONT, size: AXIS, gap: 2, grid: { stroke: LINE, width: 1 }, ticks: { show: false } },
      ],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      hooks: {
        draw: [(u) => paint(plot, u)],
        setCursor: [(u) => read(plot, u)], setSelect: [(u) => zoom(plot, u)],
        ready: [(u) => { plot.u = u; clicks(plot, u); lane(plot); marks(plot); }],
      },
    };
  }

  /* A value between two gaps has no line to be seen by, so it gets a dot. */
  function lonely(u, series, from, to) {
    const y = u.data[series];
    for (let i = from; i <= to; i++) if (y[i] != null && y[i - 1] == null && y[i + 1] == null) return true;
    return false;
  }

  /* The nearest limit on each side is always in sight, unless that would flatten the values to a line. */
  function range(plot) {
    const { trend, limits } = plot.chart;
    let low = Math.min(...trend.low.filter((v) => v !== null)), high = Math.max(...trend.high.filter((v) => v !== null));
    if (!Number.isFinite(low)) [low, high] = limits.length ? [limits.at(-1).value, limits[0].value] : [0, 1];
    const span = Math.max(high - low, Math.abs(high) * 0.04, 1e-6);
    for (const limit of [...limits].sort((a, b) => Math.abs(a.value - low) - Math.abs(b.value - low))) {
      const wider = [Math.min(low, limit.value), Math.max(high, limit.value)];
      if (wider[1] - wider[0] <= 8 * span) [low, high] = wider;
    }
    const air = Math.max(high - low, span) * 0.08;
    return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
  }

  function paint(plot, u) {
    const c = u.ctx, ratio = devicePixelRatio || 1, { left, top, width, height } = u.bbox;
    c.save();
    c.font = FONT.replace("12px", 12 * ratio + "px");
    c.textBaseline = "alphabetic";
    c.fillStyle = MUTE;
    c.textAlign = "right";
    c.fillText(plot.chart.unit, left - 6 * ratio, 10 * ratio);
    c.textAlign = "left";
    stroke(c, LINE, [], left, top + height, left + width, top + height, ratio);
    plot.labels = [];
    for (const limit of plot.chart.limits) limitLine(plot, u, limit, ratio);
    heading(plot, u, ratio);
    now(plot, u, ratio);
    c.restore();
  }

  function limitLine(plot, u, limit, ratio) {
    const c = u.ctx, { left, top, width, height } = u.bbox;
    const y = u.valToPos(limit.value, "y", true), name = limit.level + " " + trim(limit.value) + (limit.is_confirmed ? "" : ", " + plot.words.confirm);
    const inside = y >= top - 1 && y <= top + height + 1, at = inside ? y : y < top ? top + 14 * ratio : top + height - 4 * ratio;
    if (inside) stroke(c, limit.alarm_class === "C" ? INK : TARGET, limit.alarm_class === "C" ? [2, 3] : [5, 4], left, y, left + width, y, ratio);
    const below = inside && limit.level === "LL" && y < top + height - 16 * ratio;
    label(plot, c, name + (inside ? "" : y < top ? " ↑" : " ↓"), left + 6 * ratio, below ? at + 14 * ratio : at - 4 * ratio, ratio);
  }

  /* Beside those already there, where it would stand upon one. */
  function label(plot, c, text, x, y, ratio) {
    const wide = c.measureText(text).width;
    for (const other of plot.labels) if (Math.abs(other.y - y) < 14 * ratio && x < other.end && other.x < x + wide) x = other.end + 8 * ratio;
    plot.labels.push({ x, y, end: x + wide });
    c.fillStyle = "#ececea";
    c.fillRect(x - 3 * ratio, y - 11 * ratio, wide + 6 * ratio, 14 * ratio);
    c.fillStyle = INK;
    c.fillText(text, x, y);
  }

  function heading(plot, u, ratio) {
    const to = plot.chart.projection;
    if (!to) return;
    const x = u.valToPos(to.from_ms / 1000, "x", true), y = u.valToPos(to.from_value, "y", true);
    const endX = u.valToPos(to.to_ms / 1000, "x", true), endY = u.valToPos(to.to_value, "y", true);
    if (endX > u.bbox.left + u.bbox.width) return;
    stroke(u.ctx, SERIES, [2, 4], x, y, endX, endY, ratio);
    const text = plot.words.heading.replace("{level}", to.level).replace("{at}", clock(plot, to.to_ms / 1000, "clock"));
    const wide = u.ctx.measureText(text).width, right = u.bbox.left + u.bbox.width;
    label(plot, u.ctx, text, Math.min(endX + 6 * ratio, right - wide), endY - 22 * ratio, ratio);
  }

  function now(plot, u, ratio) {
    const { trend, now_ms } = plot.chart, c = u.ctx, { left, top, width, height } = u.bbox;
    if (now_ms < trend.start_ms || now_ms > trend.end_ms) return;
    const x = u.valToPos(now_ms / 1000, "x", true), text = plot.words.now + " " + clock(plot, now_ms / 1000, "clock");
    if (trend.end_ms - trend.start_ms > 3 * DAY_S * 1000) return;
    stroke(c, LINE, [], x, top, x, top + height, ratio);
    const wide = c.measureText(text).width;
    c.fillStyle = INK;
    c.fillText(text, x + wide + 8 * ratio < left + width ? x + 4 * ratio : x - wide - 4 * ratio, top + 10 * ratio);
  }

  /* Good is grey, what nobody saw is hatched, and of a step that misses some the hatch is as high as the share. */
  function lane(plot) {
    const { trend } = plot.chart, width = plot.u.over.clientWidth, scale = width / (trend.end_ms - trend.start_ms);
    plot.lane.setAttribute("width", width + AXIS);
    plot.lane.setAttribute("height", LANE);
    const told = {};
    plot.lane.replaceChildren(...trend.strip.filter((one) => one.state !== "future").flatMap((one) => {
      const x = AXIS + (one.start_ms - trend.start_ms) * scale, wide = Math.max((one.end_ms - one.start_ms) * scale, 1);
      told[one.state] = (told[one.state] || 0) + one.end_ms - one.start_ms;
      const high = one.state === "partly" ? Math.max(LANE * one.missing, 4) : LANE;
      const good = rect(x, 0, wide, LANE, "st-good");
      return one.state === "good" ? [good] : [good, rect(x, LANE - high, one.state === "uncertain" ? wide : Math.max(wide, 3), high, "st-" + one.state)];
    }));
    const whole = Object.values(told).reduce((a, b) => a + b, 0) || 1;
    plot.lane.setAttribute("aria-label", Object.entries(told).map(([state, ms]) => (plot.words[state] || state) + " " + (100 * ms / whole).toFixed(1) + " %").join(", "));
  }

  function rect(x, y, width, height, name) {
    const made = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x, y, width, height, class: name })) made.setAttribute(key, value);
    if (name !== "st-good") made.setAttribute("fill", "url(#" + name + ")");
    return made;
  }

  function marks(plot) {
    const { trend, alarms, point } = plot.chart;
    for (const alarm of alarms) {
      if (alarm.point !== point || alarm.since_ms < trend.start_ms || alarm.since_ms > trend.end_ms) continue;
      const value = alarm.value ?? plot.range[0];
      const mark = add(plot.u.over, "a", "mark p s p" + alarm.priority, alarm.priority);
      mark.href = "/alarms/" + alarm.id;
      mark.title = alarm.title[document.documentElement.lang] + " " + clock(plot, alarm.since_ms / 1000, "day");
      mark.style.left = plot.u.valToPos(alarm.since_ms / 1000, "x") + "px";
      mark.style.top = Math.min(Math.max(plot.u.valToPos(value, "y"), 8), plot.u.over.clientHeight - 8) + "px";
    }
  }

  function read(plot, u) {
    const i = u.cursor.idx;
    if (i == null || u.cursor.left < 0 || u.data[3][i] == null) return rest(plot);
    const unit = plot.chart.unit ? " " + plot.chart.unit : "", [t, low, high, mean] = u.data.map((row) => row[i]);
    const from = t - plot.chart.trend.step_ms / 2000;
    plot.said.textContent = clock(plot, from, "day") + "  " + plot.words.mean + " " + trim(mean) + unit + "  " + plot.words.range + " " + trim(low) + " – " + trim(high);
  }

  function rest(plot) {
    if (!plot.chart) return;
    const share = plot.chart.trend.good_share, steps = plot.words.steps.replace("{step}", step(plot, plot.chart.trend.step_ms / 1000));
    plot.said.textContent = steps + (share == null ? "" : " · " + plot.words.good + " " + (Math.floor(share * 1000) / 10).toFixed(1) + " %");
  }

  function step(plot, seconds) {
    if (seconds >= DAY_S) return plot.words.day;
    const [unit, length] = seconds >= 3600 ? ["hour", 3600] : seconds >= 60 ? ["minute", 60] : ["second", 1];
    return seconds / length + " " + plot.words[unit];
  }

  function zoom(plot, u) {
    if (u.select.width < 8) return;
    const [from, to] = [u.select.left, u.select.left + u.select.width].map((x) => Math.round(u.posToVal(x, "x") * 1000));
    show(plot, plot.whole.split("?")[0] + "?from_ms=" + from + "&to_ms=" + to);
  }

  function clicks(plot, u) {
    let down = 0;
    u.over.addEventListener("mousedown", (event) => { down = event.clientX; });
    u.over.addEventListener("click", (event) => {
      const opens = plot.figure.dataset.opens;
      if (!opens || Math.abs(event.clientX - down) > 4 || event.target.closest("a")) return;
      location.href = opens + clock(plot, u.posToVal(u.cursor.left, "x"), "date");
    });
  }

  function fit(plot) {
    if (plot.u.width === plot.figure.clientWidth) return;
    draw(plot);
  }

  function ticks(plot, at) {
    const span = at.at(-1) - at[0];
    const form = span <= 2 * DAY_S ? "clock" : span <= 120 * DAY_S ? "monthday" : "month";
    return at.map((t) => {
      const time = clock(plot, t, "clock"), isLast = form === "clock" && t > at[0] && t * 1000 === plot.chart.trend.end_ms;
      return isLast ? "24:00" : form === "monthday" && time !== "00:00" ? time : clock(plot, t, form);
    });
  }

  /* Local time of the centre, 24 hours, in the parts that a place has room for. */
  function clock(plot, t, form) {
    plot.format ??= new Intl.DateTimeFormat("en-CA", {
      timeZone: plot.figure.dataset.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    });
    const p = Object.fromEntries(plot.format.formatToParts(new Date(t * 1000)).map((part) => [part.type, part.value]));
    const date = p.year + "-" + p.month + "-" + p.day, time = p.hour + ":" + p.minute;
    return { clock: time, monthday: p.month + "-" + p.day, month: p.year + "-" + p.month, date, day: date + " " + time }[form];
  }

  function trim(value) {
    return String(Number(Number(value).toPrecision(Math.abs(value) >= 1000 ? 6 : 4)));
  }

  function stroke(c, colour, dash, x, y, toX, toY, ratio) {
    c.strokeStyle = colour;
    c.lineWidth = 1.5 * ratio;
    c.setLineDash(dash.map((length) => length * ratio));
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(toX, toY);
    c.stroke();
    c.setLineDash([]);
  }

  function add(parent, tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }
})();
