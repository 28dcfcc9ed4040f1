'use strict';
// The values under the pointer. Without this script the page says the same, less closely.
for (const figure of document.querySelectorAll('figure[data-chart]')) {
  const chart = JSON.parse(figure.dataset.chart);
  const plot = figure.querySelector('.plot');
  let hair, readout;
  const clear = () => { hair?.remove(); readout?.remove(); hair = readout = undefined; };
  plot.addEventListener('pointerleave', clear);
  plot.addEventListener('pointermove', (e) => {
    const box = plot.getBoundingClientRect();
    const scale = box.width / chart.width;
    const at = ((e.clientX - box.left) / scale - chart.left) / (chart.right - chart.left) * chart.end;
    let near = 0;
    chart.t.forEach((t, i) => { if (Math.abs(t - at) < Math.abs(chart.t[near] - at)) near = i; });
    if (!chart.t.length || at < -0.02 * chart.end || at > 1.02 * chart.end) return clear();
    if (!hair) {
      plot.append(hair = Object.assign(document.createElement('div'), { className: 'hair' }));
      plot.append(readout = Object.assign(document.createElement('div'), { className: 'readout' }));
    }
    const x = (chart.left + chart.t[near] / chart.end * (chart.right - chart.left)) * scale;
    hair.style.left = `${x}px`;
    const rows = chart.lines.map((line) => {
      const row = document.createElement('span');
      const value = document.createElement('b');
      value.textContent = line.values[near] ?? 'none';
      row.append(line.name, value);
      return row;
    });
    readout.replaceChildren(chart.names?.[near] ?? `${+chart.t[near].toFixed(1)} s`, ...rows);
    const right = x + readout.offsetWidth + 14 > box.width;
    readout.style.left = right ? 'auto' : `${x + 10}px`;
    readout.style.right = right ? `${box.width - x + 10}px` : 'auto';
  });
}
