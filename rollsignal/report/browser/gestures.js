// The wheel, the mouse and fingers on the chart. A `chart` has `seen`, what is in view; `barUnder`,
// the bar under an event; and `look`, `zoom` and `select`, which change what is shown.

// A turn of the wheel that began beside the chart goes on for so many milliseconds.
const SAME_TURN = 300;

// The wheel zooms, unless it is scrolling the page, or there is nothing more to zoom out to.
function followWheel(over, { barUnder, look, zoom, seen }) {
  let turnedAt = -SAME_TURN;
  document.addEventListener("wheel", (event) => {
    if (!over.contains(event.target)) turnedAt = event.timeStamp;
  }, { passive: true });
  over.addEventListener("wheel", (event) => {
    const { low, high, length, width } = seen(), span = high - low;
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const isAll = span >= length && (isSideways || event.deltaY > 0);
    if (isAll || event.timeStamp - turnedAt < SAME_TURN) {
      turnedAt = event.timeStamp;
      return;
    }
    event.preventDefault();
    const pixels = isSideways ? event.deltaX : event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    const bars = pixels / width * span;
    if (isSideways) look(low + bars, high + bars);
    else zoom(Math.exp(clamp(pixels, -200, 200) / 300), barUnder(event));
  }, { passive: false });
}

// One pointer moves the bars, two zoom; where none is down, the bar under it is read out.
function followPointers(over, { barUnder, look, select, seen }) {
  const down = new Map();
  let hold = null;

  function grip() {
    hold = { bars: [...down.values()].map(barUnder), isMoved: hold !== null && hold.isMoved };
  }

  function release(event) {
    if (!down.delete(event.pointerId)) return;
    if (event.type === "pointerup" && !hold.isMoved) select(barUnder(event));
    if (down.size) grip(); else hold = null;
  }

  // Move the bars so that those that were gripped stay under their pointers.
  function drag() {
    const [first, second] = hold.bars, [now, other] = [...down.values()].map(barUnder);
    const { low, high } = seen();
    if (down.size === 1) look(low + first - now, high + first - now);
    else if (other !== now) {
      const factor = clamp(Math.abs((second - first) / (other - now)), 0.1, 10);
      const start = (first + second) / 2 - factor * ((now + other) / 2 - low);
      look(start, start + (high - low) * factor);
    }
  }

  over.addEventListener("pointerdown", (event) => {
    if (event.button || down.size === 2) return;
    over.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event);
    grip();
  });
  over.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") select(barUnder(event));
    } else if (hold.isMoved || Math.abs(event.clientX - before.clientX) >= 4) {
      hold.isMoved = true;
      down.set(event.pointerId, event);
      drag();
    }
  });
  ["pointerup", "pointercancel"].forEach((type) => over.addEventListener(type, release));
}
