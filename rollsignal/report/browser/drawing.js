// The drawing of the bars in view. A `scene` has the series (`one`), the bars at the edges of the
// view (`low`, `high`), the box of the plot (`left`, `top`, `width`, `height`), the prices at its
// edges (`least`, `most`), all in pixels of the screen, of which `ratio` make one of CSS.

const offsetOf = (scene, bar) => (bar - scene.low) / (scene.high - scene.low) * scene.width;
const placeOf = (scene, bar) => scene.left + offsetOf(scene, bar);
const columnOf = (scene, bar) => Math.floor(offsetOf(scene, bar));
const levelOf = (scene, value) =>
  scene.top + (scene.most - value) / (scene.most - scene.least) * scene.height;
const meanAt = (one, bar) => one.values[bar] - one.margins[bar] / one.window;

function inView(one, { low, high }) {
  return [Math.max(0, Math.ceil(low - 0.5)), Math.min(one.length - 1, Math.floor(high + 0.5))];
}

// Return the least and the greatest price in view, with some room.
function pricesInView(one, view, isDense) {
  const [from, to] = inView(one, view);
  let least = Infinity, most = -Infinity;
  for (let bar = from; bar <= to; bar++) {
    const value = one.values[bar];
    if (value < least) least = value;
    if (value > most) most = value;
    if (isDense) continue;
    const mean = meanAt(one, bar);
    if (mean < least) least = mean;
    if (mean > most) most = mean;
  }
  // Prices that differ only in the last digits of a double need more room for labels that differ.
  const size = Math.abs(most), share = (most - least) * 0.07 || size * 1e-3 || 1;
  const room = Math.max(share, size * 2 ** -40);
  return [least - room * (isDense ? 2.5 : 1), most + room];
}

// Zoomed out: each column of pixels from its lowest to its highest close, and on to the next one.
function columnsPath(scene) {
  const { one } = scene, path = new Path2D(), [from, to] = inView(one, scene);
  let gap = firstAtLeast(one.gaps, from, 0, one.gaps.length);
  let column = null, low, high, last;
  const end = () => {
    const x = scene.left + column + 0.5;
    path.lineTo(x, levelOf(scene, low));
    path.lineTo(x, levelOf(scene, high) - (low === high ? 1 : 0));
    path.lineTo(x, levelOf(scene, last));
  };
  for (let bar = from; bar <= to; bar++) {
    const value = one.values[bar], now = columnOf(scene, bar), breaks = one.gaps[gap] === bar;
    if (breaks) gap++;
    if (now !== column || breaks) {
      if (column !== null) end();
      const isJoined = column !== null && !breaks;
      path[isJoined ? "lineTo" : "moveTo"](scene.left + now + 0.5, levelOf(scene, value));
      column = now;
      low = high = value;
    } else if (value < low) low = value;
    else if (value > high) high = value;
    last = value;
  }
  if (column !== null) end();
  return path;
}

// Zoomed in: a line from bar to bar, broken where a close is missing.
function linePath(scene, valueOf) {
  const { one } = scene, path = new Path2D(), [from, to] = inView(one, scene);
  let gap = firstAtLeast(one.gaps, from, 0, one.gaps.length), isDown = false;
  for (let bar = Math.max(0, from - 1); bar <= Math.min(one.length - 1, to + 1); bar++) {
    const value = valueOf(bar);
    if (one.gaps[gap] === bar) {
      isDown = false;
      gap++;
    }
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    path[isDown ? "lineTo" : "moveTo"](placeOf(scene, bar), levelOf(scene, value));
    isDown = true;
  }
  return path;
}

// Zoomed in: bars of signal 1 are shaded, and those without a signal have a mark at the foot.
function paintSignals(ctx, scene, colour) {
  const { signals } = scene.one, [from, to] = inView(scene.one, scene), foot = 5 * scene.ratio;
  for (let bar = from, end; bar <= to; bar = end) {
    for (end = bar + 1; end <= to && signals[end] === signals[bar];) end++;
    if (!signals[bar]) continue;
    const isNone = signals[bar] === NONE, tall = isNone ? foot : scene.height;
    const left = placeOf(scene, bar - 0.5), right = placeOf(scene, end - 0.5);
    ctx.fillStyle = colour(isNone ? "none" : "one");
    ctx.fillRect(left, scene.top + scene.height - tall, right - left, tall);
  }
}

// Zoomed out: a strip at the foot, as deep in each column of pixels as the share of ones.
function paintShares(ctx, scene, colour) {
  const { one } = scene, [from, to] = inView(one, scene), tall = Math.round(16 * scene.ratio);
  const bottom = scene.top + scene.height, deep = colour("deep"), none = colour("none");
  let column = null, ones = 0, signals = 0;
  const paint = (end) => {
    ctx.globalAlpha = signals ? 0.06 + 0.94 * ones / signals : 1;
    ctx.fillStyle = signals ? deep : none;
    const part = signals ? tall : tall / 3;
    ctx.fillRect(scene.left + column, bottom - part, end - column, part);
  };
  for (let bar = from; bar <= to; bar++) {
    const now = Math.max(0, columnOf(scene, bar - 0.5));
    if (now !== column) {
      if (column !== null) paint(now);
      column = now;
      ones = signals = 0;
    }
    if (one.signals[bar] !== NONE) signals++;
    if (one.signals[bar] === 1) ones++;
  }
  if (column !== null) paint(columnOf(scene, to + 0.5));
  ctx.globalAlpha = 1;
}

// Zoomed in: a mark at each tie, and dots at the closes where there is room for them.
function paintBars(ctx, scene, colour) {
  const { one, ratio } = scene, [from, to] = inView(one, scene);
  const hasRoom = scene.width / (scene.high - scene.low) > 9 * ratio;
  for (let bar = from; bar <= to; bar++) {
    const isTie = one.margins[bar] === 0;
    if (!isTie && !hasRoom && one.length > 1) continue;
    const x = placeOf(scene, bar), y = levelOf(scene, one.values[bar]);
    const size = (isTie ? 4.5 : 2.5) * ratio;
    ctx.fillStyle = colour(isTie ? "tie" : "close");
    ctx.beginPath();
    if (isTie) {
      for (const [dx, dy] of [[0, -1], [1, 0], [0, 1], [-1, 0]]) {
        ctx.lineTo(x + dx * size, y + dy * size);
      }
    } else ctx.arc(x, y, size, 0, 7);
    ctx.fill();
  }
}

// Zoomed in: a dashed line where one or more closes are missing.
function paintMissing(ctx, scene, colour) {
  ctx.strokeStyle = colour("muted");
  ctx.lineWidth = scene.ratio;
  ctx.setLineDash([2 * scene.ratio, 3 * scene.ratio]);
  ctx.beginPath();
  for (const gap of scene.one.gaps) {
    if (gap - 0.5 < scene.low || gap - 0.5 > scene.high) continue;
    ctx.moveTo(placeOf(scene, gap - 0.5), scene.top);
    ctx.lineTo(placeOf(scene, gap - 0.5), scene.top + scene.height);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}
