"use strict";
const show = v => v == null ? "\u2013"
  : Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3) ? v.toExponential(2) : String(+v.toPrecision(4));
const percent = v => v > 0 && v < 5e-4 ? "<0.1 %" : (100 * v).toFixed(1) + " %";
const put = (b, v) => b.dataset.p === undefined || v == null ? show(v) : percent(v);

/* Under the pointer, or at the place that the arrow keys have reached, a chart shows the values there; else the last ones. */
for (const chart of document.querySelectorAll(".chart[data-x]")) {
  const x = D[chart.dataset.x], plot = chart.querySelector(".plot");
  const cursor = chart.querySelector(".cursor"), note = chart.querySelector(".xs em");
  const cells = [...chart.querySelectorAll("b[data-k]")].filter(b => D[b.dataset.k]);
  const first = x[0], span = x[x.length - 1] - first || 1;
  const said = cells.map(b => b.textContent), unit = note.textContent;
  const whole = unit === "" || /^(samples|row)/.test(unit);
  let place = -1;
  const nearest = want => {
    let i = 0, j = x.length - 1;
    while (i < j) {
      const m = (i + j) >> 1;
      if (x[m] < want) i = m + 1; else j = m;
    }
    return i > 0 && want - x[i - 1] < x[i] - want ? i - 1 : i;
  };
  const go = i => {
    place = Math.max(0, Math.min(x.length - 1, i));
    cursor.style.display = "block";
    cursor.style.left = 100 * (x[place] - first) / span + "%";
    const at = whole ? x[place].toLocaleString("en") : show(x[place]);
    note.textContent = unit.startsWith("row") ? "row " + at : at + " " + unit;
    cells.forEach(b => { b.textContent = put(b, D[b.dataset.k][place]); b.style.display = "inline"; });
  };
  const leave = () => {
    place = -1;
    cursor.style.display = "none";
    note.textContent = unit;
    cells.forEach((b, i) => { b.textContent = said[i]; b.style.display = ""; });
  };
  const point = e => {
    const r = plot.getBoundingClientRect();
    go(nearest(first + span * Math.min(1, Math.max(0, (e.clientX - r.left) / r.width))));
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") leave(); });
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", e => {
    const step = Math.max(1, Math.round(x.length / 100)), last = x.length - 1;
    const to = { ArrowLeft: place < 0 ? last : place - step, ArrowRight: place < 0 ? 0 : place + step,
                 Home: 0, End: last }[e.key];
    if (e.key === "Escape") leave();
    if (to === undefined) return;
    go(to);
    e.preventDefault();
  });
}
