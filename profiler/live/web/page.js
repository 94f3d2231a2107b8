"use strict";
{
  const SPANS = [[30, 10], [60, 15], [120, 30]]; // seconds a chart shows, and between its marks; the least that will do
  const SPAN = 120;
  const SILENT = 6000; // ms without a word from the server, which says something every two seconds
  const byId = (id) => document.getElementById(id);
  const query = location.search;

  const made = (name, attributes = {}, ...inner) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...inner);
    return node;
  };
  const drawn = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };

  /** Three digits, or `n/a` for what is absent. */
  const figure = (value, unit = "") => {
    if (value === null || value === undefined) return "n/a";
    const size = Math.abs(value);
    const text = value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
    return unit ? `${text} ${unit}` : text;
  };
  const counted = (value) => {
    const [worth, sign] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([least]) => value >= least) || [1, ""];
    return figure(value / worth, sign);
  };
  const percent = (value) => value === null ? "n/a" : `${value.toFixed(1)} %`;
  /** Of a probability; what is not certain is not rounded to it. */
  const chance = (value) => value >= 99.95 && value < 100 ? ">99.9 %"
    : value > 0 && value < 0.05 ? "<0.1 %" : percent(value);
  const many = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
  const lasted = (seconds) => {
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  };

  /** A line of a list: name, bar, figure; lines are kept, so that bars move and are not made anew. */
  const bars = (list, rows, written = percent) => {
    while (list.children.length > rows.length) list.lastChild.remove();
    while (list.children.length < rows.length) {
      list.append(made("li", {}, made("span"), made("div", { class: "bar" }, made("div")), made("span")));
    }
    rows.forEach(([name, share], place) => {
      const [label, bar, value] = list.children[place].children;
      label.textContent = name;
      bar.firstChild.style.width = `${Math.min(100, share)}%`;
      value.textContent = written(share);
    });
  };
  const facts = (list, rows) => {
    list.replaceChildren(...rows.map(([name, value, bad]) =>
      made("div", {}, made("dt", {}, name), made("dd", bad ? { class: "bad" } : {}, value))));
  };

  /** A probability that is no number comes as null. */
  const showLabel = ({ top }) => {
    const share = ({ probability }) => probability === null ? null : 100 * probability;
    byId("label").textContent = top.length ? top[0].label : "no answer yet";
    byId("probability").textContent = top.length ? chance(share(top[0])) : "";
    bars(byId("answers"), top.map((each) => [each.label, share(each)]), chance);
  };

  const clock = (hertz) => {
    if (!hertz || !hertz.length) return "n/a";
    const [low, high] = [Math.min(...hertz), Math.max(...hertz)].map((each) => (each / 1e9).toFixed(2));
    return low === high ? `${low} GHz` : `${low} to ${high} GHz`;
  };
  /** The firmware's bits, of now (0-3) and since boot (16-19). */
  const THROTTLED = ["under-voltage", "clock capped", "throttled", "near the temperature limit"];
  const throttling = (bits) => {
    if (bits === null || bits === undefined) return ["n/a", false];
    const named = (from) => THROTTLED.filter((_, place) => (bits >> (from + place)) & 1).join(", ");
    if (named(0)) return [`now: ${named(0)}`, true];
    return [named(16) ? `not now; since boot: ${named(16)}` : "no", false];
  };

  const showCounters = ({ frames, events, ipc, scope, lack }) => {
    const rows = lack === null ? [["instructions a cycle (IPC)", figure(ipc)]] : [];
    for (const each of events) {
      const scaled = each.running_percent !== null && each.running_percent < 100;
      const marks = (each.proxy ? ", a neighbour" : "")
        + (scaled ? `, scaled (counted ${percent(each.running_percent)} of the time)` : "");
      const value = each.per_frame === null ? `n/a: ${each.reason || "not counted"}` : counted(each.per_frame);
      rows.push([`${each.event} a frame${marks}`, value]);
    }
    facts(byId("counters"), rows);
    byId("counting").textContent = lack !== null
      ? `n/a: ${lack}`
      : frames ? `Of this whole process, ${scope || ""}, over ${many(frames, "frame")}.` : "The first window of frames has not ended yet.";
  };

  const tile = (id, value, more) => byId(id).replaceChildren(value, " ", made("small", {}, more));

  const showSecond = (second) => {
    tile("fps", figure(second.fps), "frames/s");
    tile("source", figure(second.source_fps), "frames/s");
    tile("dropped", String(second.dropped), `${second.total_dropped.toLocaleString("en")} in all`);
    tile("stale", String(second.stale), `${second.total_stale.toLocaleString("en")} in all`);
    byId("totals").textContent = `${many(second.total_frames, "frame")} in ${lasted(second.elapsed_s)}. `
      + "Dropped: a newer frame came first. Stale: older at its label than a frame's period, its own work and 10 ms."
      + (second.total_corrupt ? ` ${many(second.total_corrupt, "corrupt read")} in all.` : "")
      + (second.total_reconnects ? ` The source was opened anew ${many(second.total_reconnects, "time")}.` : "");
    for (const [id, spread] of [["latency", second.latency_ms], ["age", second.age_ms]]) {
      [spread.p50, spread.p95, spread.p99].forEach((value, place) => {
        byId(id).children[place + 1].textContent = figure(value);
      });
    }
    byId("over").textContent = `Over the last ${many(second.latency_ms.count, "frame")}.`;
    bars(byId("shares"), ["preprocess", "inference", "idle", "other", "capture"].map((name) => [name, second.shares[name]]));
    const state = second.state;
    facts(byId("machine"), [
      ["CPU of this process", `${figure(second.cpu_percent)} % of one`],
      ["load (1 min)", figure(state.load_1min)],
      ["temperature", figure(state.temperature_celsius, "°C")],
      ["clock", clock(state.clock_hz)],
      ["throttling", ...throttling(state.throttled)],
    ]);
    showCounters(second.counting);
  };

  /** A step of 1, 2 or 5 times a power of ten that parts `most` into at most five. */
  const stepOf = (most) => {
    const power = 10 ** Math.floor(Math.log10(most / 5));
    return [1, 2, 5, 10].map((each) => each * power).find((step) => most / step <= 5);
  };

  const chart = (name, title, unit, series) => {
    const svg = byId(`${name}-chart`);
    const values = series.map(() => document.createTextNode(""));
    byId(`${name}-legend`).append(...series.map(([label, kind], place) => {
      const sample = drawn("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" });
      sample.append(drawn("path", { class: `line ${kind}`, d: "M1 5H25" }));
      return made("span", {}, sample, `${label} `, values[place]);
    }));

    return (seconds) => {
      const [width, height] = [svg.clientWidth || 400, svg.clientHeight || 200];
      const [left, right, over, under] = [40, 10, 22, 36];
      const now = seconds.length ? seconds[seconds.length - 1].elapsed_s : 0;
      const shown = seconds.filter((second) => now - second.elapsed_s <= SPAN);
      const [span, apart] = SPANS.find(([least]) => !shown.length || now - shown[0].elapsed_s <= least);
      const highest = Math.max(...shown.flatMap((second) => series.map(([, , of]) => of(second) || 0)), 0.1);
      const step = stepOf(highest * 1.05);
      const most = step * Math.ceil(highest * 1.05 / step);
      const x = (elapsed) => left + (1 - (now - elapsed) / span) * (width - left - right);
      const y = (value) => over + (1 - value / most) * (height - over - under);
      const parts = [drawn("text", { x: 0, y: 11 }, unit)];
      for (let value = 0; value <= most * 1.001; value += step) {
        parts.push(drawn("path", { class: value ? "grid" : "axis", d: `M${left} ${y(value)}H${width - right}` }));
        parts.push(drawn("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, String(Number(value.toPrecision(6)))));
      }
      for (let ago = 0; ago <= span; ago += apart) {
        const at = x(now - ago);
        parts.push(drawn("path", { class: "axis", d: `M${at} ${height - under}v4` }));
        parts.push(drawn("text", { class: "mark", x: at, y: height - under + 17, "text-anchor": ago ? "middle" : "end" }, ago ? String(ago) : "now"));
      }
      parts.push(drawn("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, "seconds ago"));
      series.forEach(([, kind, of], place) => {
        let path = "";
        let joined = false;
        for (const second of shown) {
          const value = of(second);
          if (value !== null) path += `${joined ? "L" : "M"}${x(second.elapsed_s).toFixed(1)} ${y(value).toFixed(1)}`;
          joined = value !== null;
        }
        parts.push(drawn("path", { class: `line ${kind}`, d: path }));
        const last = shown.length ? of(shown[shown.length - 1]) : null;
        if (last !== null) parts.push(drawn("circle", { class: `dot ${kind}`, cx: x(now), cy: y(last), r: 3.5 }));
        values[place].data = figure(last);
      });
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("aria-label", `${title} over the last two minutes, ${unit}; now `
        + series.map(([label], place) => `${label} ${values[place].data}`).join(", "));
      svg.replaceChildren(...parts);
    };
  };
  const charts = [
    chart("rate", "Frame rate", "frames/s", [
      ["labelled", "first", (second) => second.fps],
      ["from the source", "second", (second) => second.source_fps],
    ]),
    chart("latency", "Latency", "ms", [
      ["p50", "first", (second) => second.latency_ms.p50],
      ["p95", "second", (second) => second.latency_ms.p95],
      ["p99", "third", (second) => second.latency_ms.p99],
    ]),
  ];

  let seconds = [];
  const draw = () => charts.forEach((each) => each(seconds));
  new ResizeObserver(draw).observe(document.querySelector(".charts"));

  let [lost, over, trouble] = [false, false, null];
  const say = () => {
    const banner = byId("trouble");
    const text = over ? "The session has ended. These are its last figures."
      : lost ? "The connection is lost; trying again." : trouble;
    document.body.className = over ? "over" : lost ? "lost" : "";
    banner.className = `banner ${over ? "plain" : lost ? "bad" : ""}`;
    banner.hidden = !text;
    if (banner.textContent !== (text || "")) banner.textContent = text || "";
  };

  const picture = byId("picture");
  let watched = 0;
  /** Starts the stream anew; a hidden page watches none, so that nothing is encoded for it. */
  const watch = () => {
    if (document.hidden && !over) picture.removeAttribute("src");
    else if (!over) picture.src = `stream${query}${query ? "&" : "?"}n=${watched++}`;
  };
  picture.addEventListener("error", () => setTimeout(() => { if (!lost && !document.hidden) watch(); }, 2000));
  document.addEventListener("visibilitychange", watch);

  let source;
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(listen, SILENT);
  };
  const on = {
    history: (all) => {
      seconds = all;
      if (lost) watch();
      lost = false;
      const last = all[all.length - 1];
      trouble = last ? last.trouble : null;
      if (last) showSecond(last);
      draw();
    },
    second: (second) => {
      seconds = [...seconds.slice(1 - SPAN), second];
      trouble = second.trouble;
      showSecond(second);
      draw();
    },
    label: showLabel,
    beat: () => {},
    end: () => {
      over = true;
      source.close();
    },
  };
  /** Opens the figures anew; called again whenever the server has been silent for too long. */
  function listen() {
    if (source) {
      source.close();
      lost = true;
      say();
    }
    source = new EventSource(`events${query}`);
    for (const [name, take] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        heard();
        take(JSON.parse(event.data));
        say();
        if (over) clearTimeout(silence);
      });
    }
    source.addEventListener("error", () => {
      lost = true;
      say();
    });
    heard();
  }
  watch();
  listen();
}
