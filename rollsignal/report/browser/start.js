// What happens when the page is open.

const OLD = "this browser is of before 2023, and cannot unpack the bars";
const REST = "All other sections are complete without it.";

function startTable(all) {
  const table = document.querySelector("#symbol-table table"), data = byId("symbol-rows");
  if (table && data) symbolTable(table, JSON.parse(data.textContent), all);
}

function startChart(all) {
  const select = byId("chart-symbol"), withBars = all.filter((one) => one.length);
  byId("chart").hidden = false;
  const chart = chartOf(all);
  if (select) {
    for (const one of withBars) select.add(new Option(one.name, one.place));
    select.addEventListener("change", () => chart.open(+select.value));
  }
  chart.open(withBars[0].place);
  document.addEventListener("click", (event) => {
    const row = event.target.closest("a") && event.target.closest("[data-symbol]");
    if (!row || !all[row.dataset.symbol].length) return;
    event.preventDefault();
    chart.open(+row.dataset.symbol);
    byId("signal").scrollIntoView();
    byId("chart-plot").focus({ preventScroll: true });
  });
}

async function start() {
  const data = byId("bars"), problem = byId("chart-problem");
  let all = null;
  try {
    if (!data) return;
    if (!window.DecompressionStream) throw new Error(OLD);
    all = seriesIn(await unpacked(JSON.parse(data.textContent).packed));
    startChart(all);
    byId("chart").dataset.state = "ready";
  } catch (error) {
    byId("chart").hidden = true;
    problem.textContent = `The chart could not be drawn: ${error.message}. ${REST}`;
    problem.hidden = false;
  } finally {
    startTable(all);
  }
}

start();
