// What is said of a bar: its time, its close as a decimal, and how its signal came about.

const MINUS = "\u2212";

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
const count = (number) => grouped(String(number));

// Return a number as people read it: with commas, and a minus sign.
function shown(number) {
  const [, sign, whole, rest] = /^(-?)(\d*)(.*)$/.exec(number);
  return (sign ? MINUS : "") + grouped(whole) + rest.replace("-", MINUS);
}

function closeText(one, bar) {
  const text = String(one.ticks ? one.ticks[bar] : one.values[bar]);
  const sign = text[0] === "-" ? "-" : "";
  const digits = text.slice(sign.length).padStart(one.scale + 1, "0");
  const point = digits.length - one.scale;
  return sign + digits.slice(0, point) + (one.scale ? `.${digits.slice(point)}` : "");
}

function isoTime(one, bar) {
  const text = new Date(one.seconds[bar] * 1000).toISOString().slice(0, -5);
  return `${text}${one.parts ? `.${String(one.parts[bar]).padStart(one.digits, "0")}` : ""}Z`;
}

// Return the time of a bar, or its number; where closes are missing, only closes are numbered.
function nameOf(one, bar) {
  const number = count(one.before + bar + 1), isEvery = one.rows === one.before + one.length;
  return one.seconds ? timeText(one, bar) : `${isEvery ? "bar" : "close"} ${number}`;
}

function timeText(one, bar) {
  const [day, time] = isoTime(one, bar).slice(0, -1).split("T");
  if (one.days && !one.parts) return day;
  return `${day} ${one.minutes && !one.parts ? time.slice(0, 5) : time} UTC`;
}

// Return what is known of a bar: pairs of a label and a text.
function factsOf(one, bar) {
  const signal = one.signals[bar], margin = one.margins[bar], { scale, window } = one;
  const facts = [["close", shown(closeText(one, bar))]];
  if (!Number.isNaN(margin)) {
    const mean = (window * one.values[bar] - margin) / (window * 10 ** scale);
    const ticks = Math.abs(margin) === 1 ? "tick" : "ticks";
    const unit = scale ? `0.${"1".padStart(scale, "0")}` : "1";
    facts.push(["mean", shown(String(mean))]);
    facts.push(["margin", `${margin > 0 ? "+" : ""}${shown(String(margin))} ${ticks} of ${unit}`]);
  } else if (signal !== NONE) {
    facts.push(["mean and margin", one.exact
      ? "not here: the window begins before this page"
      : "not here: they need more digits than a browser computes with"]);
  }
  const decided = `${signal}${margin === 0 ? ", a tie" : ""}`;
  facts.push(["signal", signal === NONE ? `none, ${whyNone(one, bar)}` : decided]);
  if (one.gaps.includes(bar + 1)) facts.push(["then", "a missing close"]);
  return facts;
}

function whyNone(one, bar) {
  const gap = one.gaps.filter((place) => place <= bar).pop();
  if (gap > bar - one.window + 1) return "a close before it is missing";
  return one.before + bar < one.window - 1 ? "warm-up" : "the run has none here";
}

// Return what is said of a series as a whole.
function summaryOf(one) {
  const closes = one.before + one.length, missing = one.rows - closes;
  const unit = missing ? "closes" : "bars", size = count(one.length);
  const bars = one.before ? `The last ${size} of ${count(closes)} ${unit}`
    : closes === 1 ? `One ${unit.slice(0, -1)}` : `All ${size} ${unit}`;
  const shares = `${count(one.ones)} of ${count(one.decided)} signals are 1`;
  const ones = one.decided ? shares : "no bar has a signal";
  const has = missing === 1 ? "One more bar has" : `${count(missing)} more bars have`;
  const left = missing ? ` ${has} no close.` : "";
  return `${bars}; ${ones}.${left}${whyNoMean(one)}`;
}

function whyNoMean(one) {
  const what = " Mean, margin and ties are not shown:", how = "rollsignal explain shows them.";
  if (!one.exact) return `${what} they need more digits than a browser computes with; ${how}`;
  if (!one.before || one.length >= one.window) return "";
  const window = `the window of ${count(one.window)} bars`;
  return `${what} ${window} is longer than what is in this page; ${how}`;
}
