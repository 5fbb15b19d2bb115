/* Draws what web/charts.py and web/model_charts.py describe with Plotly; a click on a mark opens its rows. Colours are the style sheet's tokens. */
(() => {
  "use strict";
  const described = JSON.parse(document.getElementById("charts")?.textContent || "{}");
  const places = [...document.querySelectorAll("[data-chart]")];
  const token = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  const trace = (one, ink) => ({
    type: one.type, orientation: one.orientation, name: one.name, x: one.x, y: one.y,
    customdata: one.links, hovertext: one.texts, hoverinfo: one.hover || "text",
    ...(one.type === "bar" && { textposition: "none" }),
    ...(one.type === "heatmap"
      ? { z: one.z, colorscale: [[0, token("paper-2")], [1, token(one.tone)]], showscale: false, xgap: 1, ygap: 1 }
      : { marker: { color: token(one.tone), size: one.type === "scatter" ? 8 : undefined, line: { width: 0 } } }),
    ...(one.sizes && { marker: {
      size: one.sizes, color: one.shades, cmin: -1, cmax: 1, opacity: .85, line: { width: 1, color: token("paper") },
      colorscale: [[0, token("bad")], [.5, token("line-2")], [1, token("good")]],
    } }),
    ...(one.labels && { text: one.labels, textposition: "top center", textfont: { color: ink, size: 12 }, cliponaxis: false }),
    ...(one.mode && { mode: one.mode, line: { color: token(one.tone), width: 2, dash: one.dash } }),
    ...(one.error_y && { error_y: { type: "data", symmetric: false, ...one.error_y, color: ink, thickness: 1, width: 3 } }),
    ...(one.error && { error_x: { type: "data", symmetric: false, ...one.error, color: ink, thickness: 1, width: 3 } }),
  });
  const axis = (given, line) => ({ fixedrange: true, automargin: true, gridcolor: line, zerolinecolor: line, linecolor: line, ticklen: 4, tickcolor: line, ...given });
  const height = (chart) => chart.height ? chart.height : chart.rows ? Math.max(160, 48 + 22 * chart.rows) : 240;

  const draw = (place) => {
    const chart = described[place.dataset.chart];
    if (!chart) return;
    const ink = token("ink-2"), line = token("line");
    const layout = {
      height: height(chart), margin: { l: 8, r: 12, t: chart.legend ? 28 : 8, b: 8 },
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", barmode: chart.stacked ? "stack" : "group", bargap: .25, dragmode: false,
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink },
      hoverlabel: { bgcolor: token("paper"), bordercolor: line, font: { color: token("ink") } },
      showlegend: Boolean(chart.legend), legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal" },
      xaxis: axis(chart.xaxis, line), yaxis: axis(chart.yaxis || { rangemode: "tozero" }, line),
    };
    Plotly.react(place, chart.traces.map((one) => trace(one, ink)), layout, { displayModeBar: false, responsive: true, doubleClick: false });
    if (!place.dataset.ready) {
      place.dataset.ready = "1";
      place.on("plotly_click", (event) => {
        const link = event.points[0]?.customdata;
        if (link) location.assign(link);
      });
    }
  };

  const drawAll = () => places.forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
