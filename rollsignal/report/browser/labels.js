// Where labels stand along the bars, and along the prices. Nights and weekends leave no holes.

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY = 86400;
// Labels stand at each of so many months, or so many seconds: from wide to narrow.
const STEPS = [
  ...[12000, 6000, 2400, 1200, 600, 240, 120, 60, 24, 12, 6, 3, 1].map((months) => ({ months })),
  ...[7 * DAY, 2 * DAY, DAY, 43200, 21600, 14400, 7200, 3600, 1800, 900, 300, 60, 30, 15, 5, 1].map(
    (seconds) => ({ seconds })),
];

// Return the next time at which a label may stand. Weeks begin on Mondays, as 5 January 1970 was.
function nextTime(second, { months, seconds }) {
  if (seconds) return (Math.floor((second - 4 * DAY) / seconds) + 1) * seconds + 4 * DAY;
  const date = new Date(second * 1000), month = date.getUTCFullYear() * 12 + date.getUTCMonth();
  const next = (Math.floor(month / months) + 1) * months;
  return new Date(0).setUTCFullYear(Math.floor(next / 12), next % 12, 1) / 1000;
}

function firstAtLeast(values, least, low, high) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < least) low = middle + 1; else high = middle;
  }
  return low;
}

// Return the bars at which a time begins, by the narrowest steps of which there are few enough, and
// these steps.
function timePlaces(one, from, to, most) {
  let best = [[], { seconds: 0 }];
  for (const step of STEPS) {
    const places = [];
    let bar = Math.max(0, from - 1);
    while (places.length <= most) {
      bar = firstAtLeast(one.seconds, nextTime(one.seconds[bar], step), bar, one.length);
      if (bar > to || bar === one.length) break;
      if (bar >= from) places.push(bar);
    }
    if (places.length > most) break;
    if (places.length) best = [places, step];
  }
  return best;
}

// Return how much of the time is new at a bar: 4 the year, 3 the month, 2 the day, 1 the hour.
function newsAt(one, bar) {
  const now = isoTime(one, bar), before = isoTime(one, Math.max(0, bar - 1));
  return [4, 7, 10].filter((end) => now.slice(0, end) !== before.slice(0, end)).length + 1;
}

// Where labels are too near to each other, the one with more news stays.
function thinned(one, places, gap) {
  const kept = [];
  for (const level of [4, 3, 2, 1]) {
    for (const bar of places) {
      const isFar = kept.every((each) => Math.abs(each - bar) >= gap);
      if (isFar && newsAt(one, bar) === level) kept.push(bar);
    }
  }
  return kept.sort((a, b) => a - b);
}

// A label says what is new. The first one says the date, or the year, too, in a line of its own.
function timeLabel(one, bar, { months, seconds }, isFirst) {
  const [, year, month, day, time] = /^([+-]?\d+)-(\d+)-(\d+)T(.*)Z$/.exec(isoTime(one, bar));
  const news = newsAt(one, bar), date = `${+day} ${MONTHS[month - 1]}`;
  if (months >= 12) return year;
  if (news === 4) return isFirst ? `${date}\n${year}` : year;
  if (news === 3 && one.days) return MONTHS[month - 1] + (isFirst ? `\n${year}` : "");
  if (news > 1 || one.days) return date + (isFirst ? `\n${year}` : "");
  const digits = seconds >= 60 ? 5 : seconds ? 8 : 12;
  return time.slice(0, one.minutes ? 5 : digits) + (isFirst ? `\n${date} ${year}` : "");
}

// Return round numbers from low to high, at least so far apart.
function roundNumbers(low, high, most, least) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const factor = [1, 2, 5, 10].find((each) => (high - low) / (power * each) <= most) || 10;
  const step = Math.max(least, power * factor);
  const numbers = [];
  for (let at = Math.ceil(low / step); at * step <= high; at++) numbers.push(at * step);
  return numbers;
}

function priceLabels(one, numbers) {
  const scale = one.ticks ? 0 : one.scale, step = numbers.length > 1 ? numbers[1] - numbers[0] : 1;
  const decimals = Math.max(0, scale - Math.floor(Math.log10(step) + 1e-9));
  return numbers.map((number) => {
    const price = number / 10 ** scale, isExtreme = Math.abs(price) >= 1e12 || decimals > 12;
    return shown(isExtreme ? price.toExponential(3) : price.toFixed(decimals));
  });
}
