// The chart: which bars of which series are in view, which one is read out, and what changes that.

const LEAST_SPAN = 3;
// Beyond so many bars for each pixel of CSS the view is dense: columns instead of single bars.
const DENSE = 1.25;

const byId = (id) => document.getElementById(id);
const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

function chartOf(all) {
  const box = byId("chart"), plot = byId("chart-plot"), line = byId("chart-line");
  const note = byId("chart-note");
  const marker = document.createElement("div");
  let one, view, at, u, labelStep, colours = {};
  let isDense = true, isWaiting = false;

  const ratio = () => window.devicePixelRatio || 1;
  const width = () => u.bbox.width / ratio();
  const colour = (name) =>
    colours[name] ||= getComputedStyle(plot).getPropertyValue(`--chart-${name}`).trim();
  const scene = () => ({
    one, ...view, ...u.bbox, least: u.scales.y.min, most: u.scales.y.max, ratio: ratio(),
  });

  // ---- what is drawn

  function clipped(...paints) {
    const { ctx, bbox } = u, now = scene();
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paints.forEach((paint) => paint(ctx, now, colour));
    ctx.restore();
  }

  const drawPaths = (path) => (
    { stroke: path, fill: null, clip: null, band: null, gaps: null, flags: 1 });
  const closePath = () => (
    isDense ? columnsPath(scene()) : linePath(scene(), (bar) => one.values[bar]));
  const meanPath = () => (isDense ? new Path2D() : linePath(scene(), (bar) => meanAt(one, bar)));

  function places() {
    const [from, to] = inView(one, view), most = Math.max(3, Math.floor(width() / 84));
    const inside = (bar) => bar >= from && bar <= to;
    if (!one.seconds || !one.ascends) {
      const first = one.before + 1, numbers = roundNumbers(from + first, to + first + 0.5, most, 1);
      return numbers.map((number) => number - first).filter(inside);
    }
    // A label may not reach over the edge of the plot.
    const pixels = width() / (view.high - view.low);
    const fits = (bar) => (bar - view.low) * pixels > 16 && (view.high - bar) * pixels > 20;
    const [starts, step] = timePlaces(one, from, to, most);
    const kept = thinned(one, starts.filter(fits), 66 / pixels);
    labelStep = kept.length ? step : { seconds: 0 };
    return kept.length ? kept : [(from + to) >> 1];
  }

  const placeLabels = (_, bars) => bars.map((bar, index) => {
    if (one.seconds && one.ascends) return timeLabel(one, bar, labelStep, index === 0);
    return count(one.before + bar + 1);
  });

  function options() {
    const stroke = () => colour("muted"), font = `12px ${getComputedStyle(plot).fontFamily}`;
    const grid = { stroke: () => colour("grid"), width: 1 };
    const look = { stroke, font, grid, ticks: { show: false } };
    const prices = (_, __, least, most) =>
      roundNumbers(least, most, Math.max(2, u.bbox.height / ratio() / 40), one.ticks ? 0 : 1);
    const room = (_, labels) => (
      14 + 7 * Math.max(4, ...(labels || []).map((label) => label.length)));
    const serie = (name, paths) => ({
      paths: (...given) => drawPaths(paths(...given)),
      stroke: () => colour(name), width: 1.5, auto: false, points: { show: false },
    });
    return {
      width: plot.clientWidth, height: tall(), padding: [10, 10, 0, 0],
      legend: { show: false }, cursor: { show: false },
      scales: {
        x: { time: false, auto: false, range: () => [view.low, view.high] },
        y: { range: () => pricesInView(one, view, isDense) },
      },
      axes: [
        { ...look, splits: places, values: placeLabels, size: 44, gap: 6 },
        {
          ...look, splits: prices, values: (_, numbers) => priceLabels(one, numbers), size: room,
          gap: 8,
        },
      ],
      series: [{}, serie("close", closePath), serie("mean", meanPath)],
      hooks: {
        drawClear: [() => isDense || clipped(paintSignals)],
        draw: [() => clipped(...(isDense ? [paintShares] : [paintMissing, paintBars])), mark],
      },
    };
  }

  const tall = () => (plot.clientWidth < 560 ? 280 : 340);

  function drawNow() {
    isWaiting = false;
    colours = {};
    isDense = (view.high - view.low) / width() > DENSE;
    box.dataset.zoom = isDense ? "out" : "in";
    u.setScale("x", { min: view.low, max: view.high });
  }

  function redraw() {
    if (!isWaiting) requestAnimationFrame(drawNow);
    isWaiting = true;
  }

  // ---- which bars are in view

  function look(low, high) {
    const span = clamp(high - low, Math.min(LEAST_SPAN, one.length), one.length);
    const start = clamp((low + high - span) / 2, -0.5, one.length - 0.5 - span);
    view = { low: start, high: start + span };
    redraw();
  }

  const zoom = (factor, bar) =>
    look(bar - (bar - view.low) * factor, bar + (view.high - bar) * factor);
  const centre = () => (at >= view.low && at <= view.high ? at : (view.low + view.high) / 2);
  const barUnder = (event) => {
    const { left } = u.over.getBoundingClientRect();
    return view.low + (event.clientX - left) / width() * (view.high - view.low);
  };

  function lastBars(bars) {
    look(one.length - 0.5 - bars, one.length - 0.5);
    select(one.length - 1);
  }

  // ---- which bar is read out

  function labelled(label, value) {
    const pair = document.createElement("span");
    pair.append(label, value);
    return pair;
  }

  function select(bar) {
    at = clamp(Math.round(bar), 0, one.length - 1);
    const time = document.createElement("time");
    if (one.seconds) time.dateTime = isoTime(one, at);
    time.textContent = nameOf(one, at);
    line.replaceChildren(labelled("", time));
    for (const [label, text] of factsOf(one, at)) {
      const value = document.createElement("b");
      value.dataset.fact = label;
      value.textContent = text;
      line.append(" ", labelled(`${label} `, value));
    }
    mark();
  }

  function mark() {
    const now = scene(), x = (placeOf(now, at) - now.left) / ratio();
    marker.hidden = x < 0 || x > width();
    marker.style.left = `${x}px`;
    marker.firstChild.style.top = `${(levelOf(now, one.values[at]) - now.top) / ratio()}px`;
  }

  function step(bars) {
    select(at + bars);
    const span = view.high - view.low;
    if (at - 0.5 < view.low) look(at - 0.5, at - 0.5 + span);
    else if (at + 0.5 > view.high) look(at + 0.5 - span, at + 0.5);
  }

  // ---- what people do

  const deeds = {
    all: () => look(-0.5, one.length - 0.5),
    last1000: () => lastBars(1000),
    last100: () => lastBars(100),
    in: () => zoom(0.5, centre()),
    out: () => zoom(2, centre()),
    back: (event) => step(event.shiftKey ? -10 : -1),
    next: (event) => step(event.shiftKey ? 10 : 1),
    first: () => step(-at),
    end: () => step(one.length - 1 - at),
  };
  const keys = {
    ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "end",
    "+": "in", "=": "in", "-": "out", _: "out", 0: "all",
  };

  function onKey(event) {
    const deed = deeds[keys[event.key]];
    if (!deed || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    deed(event);
  }

  function open(place) {
    one = loaded(all[place]);
    at = one.length - 1;
    view = { low: -0.5, high: one.length - 0.5 };
    note.textContent = summaryOf(one);
    Object.assign(note.dataset, { bars: one.length, signals: one.decided, ones: one.ones });
    box.classList.toggle("meanless", one.margins.every(Number.isNaN));
    box.classList.toggle("signed", one.decided === one.length);
    box.classList.toggle("gapless", !one.gaps.some((gap) => gap > 0 && gap < one.length));
    for (const each of box.querySelectorAll("[data-least]")) {
      each.hidden = one.length <= each.dataset.least;
    }
    if (all.length > 1) byId("chart-symbol").value = place;
    const bars = new Float64Array(one.length);
    for (let bar = 0; bar < bars.length; bar++) bars[bar] = bar;
    if (!u) build();
    u.setData([bars, one.values, one.values], false);
    drawNow();
    select(at);
  }

  function build() {
    marker.className = "chart-at";
    marker.append(document.createElement("i"));
    u = new uPlot(options(), [[], [], []], (self, done) => {
      u = self;
      plot.append(self.root);
      done();
    });
    u.over.append(marker);
    const seen = () => ({ ...view, length: one.length, width: width() });
    followWheel(u.over, { barUnder, look, zoom, seen });
    followPointers(u.over, { barUnder, look, select, seen });
    plot.addEventListener("keydown", onKey);
    for (const each of box.querySelectorAll("[data-do]")) {
      each.addEventListener("click", (event) => deeds[each.dataset.do](event));
    }
    new ResizeObserver(() => {
      if (plot.clientWidth === u.width) return;
      u.setSize({ width: plot.clientWidth, height: tall() });
      redraw();
    }).observe(plot);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", drawNow);
    }
  }

  return { open };
}
