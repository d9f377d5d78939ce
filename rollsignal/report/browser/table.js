// The table of symbols: searched and sorted, 25 rows a page. Its first rows are there without this.
// A row has the place of its series, a value for each column (symbol, signal, last bar and others),
// and whether the symbol is late.

const PAGE_ROWS = 25, SPARK_BARS = 250, SVG = "http://www.w3.org/2000/svg";

// Round as the static rows are: of two numbers that are equally near, to the even one.
function fixed(value, digits) {
  const text = value.toFixed(digits), long = value.toFixed(digits + 20);
  const floor = long.slice(0, -20).replace(/\.$/, "");
  return /50{19}$/.test(long) && "02468".includes(floor.at(-1)) ? floor : text;
}

// Return a cell as the static rows show it.
function cellText(value, digits) {
  if (value === null) return "\u2013";
  return digits === null ? String(value) : shown(fixed(value, digits));
}

// Sort by a column; rows without an answer are the last in either direction.
function sortedRows(rows, column, isDown) {
  const order = (a, b) => {
    const [left, right] = [a[column + 1], b[column + 1]];
    if (left === right) return 0;
    if (left === null || right === null) return left === null ? 1 : -1;
    return (left < right ? -1 : 1) * (isDown ? -1 : 1);
  };
  return [...rows].sort(order);
}

// Return a line of the last closes of a series.
function spark(one) {
  const values = [...one.values.subarray(-SPARK_BARS)], svg = document.createElementNS(SVG, "svg");
  const least = Math.min(...values), range = Math.max(...values) - least || 1;
  const points = values.map((value, bar) => {
    const x = 1 + 118 * bar / Math.max(1, values.length - 1);
    return `${x.toFixed(1)} ${(21 - 20 * (value - least) / range).toFixed(1)}`;
  });
  svg.setAttribute("viewBox", "0 0 120 22");
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  const path = svg.appendChild(document.createElementNS(SVG, "path"));
  path.setAttribute("class", "line blue");
  path.setAttribute("d", `M${points.join("L")}`);
  return svg;
}

function buttonOf(text, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(text);
  button.addEventListener("click", onClick);
  return button;
}

function symbolTable(table, { columns, rows }, all) {
  const body = table.tBodies[0], model = body.rows[0], heads = [...table.tHead.rows[0].cells];
  const find = document.createElement("input"), said = document.createElement("span");
  let chosen = rows, page = 0, sorted = { column: null, isDown: false };

  function rowOf([place, ...values]) {
    const row = model.cloneNode(true);
    row.dataset.symbol = place;
    columns.forEach(({ digits }, column) => {
      const cell = row.cells[column];
      (cell.querySelector("a") || cell).textContent = cellText(values[column], digits);
    });
    row.cells[1].classList.toggle("one", values[1] === 1);
    row.cells[2].classList.toggle("late", values[columns.length] === true);
    const rest = row.cells[columns.length];
    const hasBars = all !== null && all[place].length > 0;
    if (rest) rest.replaceChildren(...(hasBars ? [spark(loaded(all[place]))] : []));
    return row;
  }

  function show() {
    const first = page * PAGE_ROWS, part = chosen.slice(first, first + PAGE_ROWS);
    const [from, to] = [count(first + 1), count(first + part.length)];
    const places = `${from}\u2013${to} of ${count(chosen.length)}`;
    body.replaceChildren(...part.map(rowOf));
    said.textContent = part.length ? places : "no symbol has this in its name";
    back.disabled = page === 0;
    next.disabled = first + PAGE_ROWS >= chosen.length;
  }

  function choose() {
    const asked = find.value.trim().toLowerCase();
    chosen = rows.filter((row) => row[1].toLowerCase().includes(asked));
    if (sorted.column !== null) chosen = sortedRows(chosen, sorted.column, sorted.isDown);
    page = 0;
    show();
  }

  function sortBy(column) {
    const isDown = sorted.column === column ? !sorted.isDown : columns[column].digits !== null;
    sorted = { column, isDown };
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", isDown ? "descending" : "ascending");
    choose();
  }

  function turn(pages) {
    page += pages;
    show();
  }

  const back = buttonOf("\u2039 back", () => turn(-1));
  const next = buttonOf("next \u203a", () => turn(1));
  const label = document.createElement("label");
  find.type = "search";
  find.addEventListener("input", choose);
  label.append("Find ", find);
  said.setAttribute("aria-live", "polite");
  byId("symbol-find").replaceChildren(label);
  byId("symbol-pages").replaceChildren(back, said, next);
  columns.forEach((_, column) => {
    heads[column].replaceChildren(buttonOf(heads[column].textContent, () => sortBy(column)));
  });
  show();
}
