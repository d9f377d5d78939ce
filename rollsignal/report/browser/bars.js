// The bars that `bars.py` packed, read again: every one, exactly.

const NONE = 2;

async function unpacked(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Read safe numbers from a place on, as `varints.py` wrote them, and return the place behind them.
function readNumbers(bytes, at, numbers) {
  for (let place = 0; place < numbers.length; place++) {
    let byte = bytes[at++];
    if (byte < 128) {
      numbers[place] = byte & 1 ? ~(byte >> 1) : byte >> 1;
      continue;
    }
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++];
      value += (byte & 127) * scale;
    }
    const half = Math.floor(value / 2);
    numbers[place] = half * 2 === value ? half : -half - 1;
  }
  return at;
}

// Read so many numbers of any size.
function readBigNumbers(bytes, at, count) {
  const numbers = [];
  while (numbers.length < count) {
    let value = 0n;
    for (let byte = 128, bits = 0n; byte > 127; bits += 7n) {
      byte = bytes[at++];
      value |= BigInt(byte & 127) << bits;
    }
    numbers.push(value & 1n ? -((value + 1n) >> 1n) : value >> 1n);
  }
  return numbers;
}

// Return all series, of which `loaded` reads the bars: a page may hold thousands.
function seriesIn(bytes) {
  const start = 4 + new DataView(bytes.buffer).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  let at = start;
  const places = head.sizes.map((sizes) => sizes.map((size) => (at += size) - size));
  return head.names.map((name, place) => ({
    name, place, bytes, window: head.window, digits: head.digits, length: head.counts[place],
    before: head.before[place], rows: head.rows[place], scale: head.scales[place],
    isTimed: head.timed[place] === 1, isWide: head.wide[place] === 1,
    exact: head.exact[place] === 1, gaps: head.gaps[place],
    starts: places.map((kind) => kind[place]),
  }));
}

// Read the bars of a series, once. Its `values` are drawn: ticks, or prices where the ticks
// (`ticks`) are no safe numbers.
function loaded(one) {
  if (one.values) return one;
  const [seconds, parts, closes, signals] = one.starts;
  if (one.isTimed) readTimes(one, seconds, parts);
  one.values = new Float64Array(one.length);
  if (one.isWide) readWideCloses(one, closes);
  else {
    readNumbers(one.bytes, closes, one.values);
    for (let bar = 1; bar < one.length; bar++) one.values[bar] += one.values[bar - 1];
  }
  one.signals = one.bytes.subarray(signals, signals + one.length);
  one.ones = one.decided = 0;
  for (let bar = 0; bar < one.length; bar++) {
    if (one.signals[bar] === 1) one.ones++;
    if (one.signals[bar] !== NONE) one.decided++;
  }
  one.margins = marginsOf(one);
  return one;
}

// The operator % takes ten times as long for large numbers.
const isMultiple = (number, unit) => Math.floor(number / unit) * unit === number;

function readTimes(one, start, partsStart) {
  const times = one.seconds = new Float64Array(one.length);
  readNumbers(one.bytes, start, times);
  one.ascends = one.minutes = one.days = true;
  for (let bar = 1, step = 0; bar < one.length; bar++) {
    step += times[bar];
    times[bar] = times[bar - 1] + step;
    if (step < 0) one.ascends = false;
  }
  for (let bar = 0; bar < one.length && one.minutes; bar++) {
    if (!isMultiple(times[bar], 86400)) one.days = false;
    if (!isMultiple(times[bar], 60)) one.minutes = false;
  }
  if (!one.digits) return;
  one.parts = new Float64Array(one.length);
  readNumbers(one.bytes, partsStart, one.parts);
}

function readWideCloses(one, start) {
  let close = 0n;
  one.ticks = readBigNumbers(one.bytes, start, one.length).map((step) => close += step);
  for (let bar = 0; bar < one.length; bar++) one.values[bar] = Number(closeText(one, bar));
}

// Return the margins of the bars whose window is on the page, in ticks, and NaN for all others.
function marginsOf(one) {
  const { window, values, signals } = one, margins = new Float64Array(one.length).fill(NaN);
  if (!one.exact) return margins;
  let gap = 0, first = 0, sum = 0;
  for (let bar = 0; bar < one.length; bar++) {
    if (one.gaps[gap] === bar) {
      first = bar;
      sum = 0;
      gap++;
    }
    sum += values[bar];
    if (bar - first >= window) sum -= values[bar - window];
    const isWhole = bar - first >= window - 1;
    if (isWhole && signals[bar] !== NONE) margins[bar] = window * values[bar] - sum;
  }
  return margins;
}
