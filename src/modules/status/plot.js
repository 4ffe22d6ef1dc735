// Plots on canvas: lines, stacked areas, heat and bars. The time goes to the right; the last value is at the right edge.
// A plot can be read by pointer and by arrow keys; what is read replaces the numbers of its legend.

const LEFT = 54; // for the numbers of the scale
const BELOW = 18;
const HEAT_FROM = UPPERS.indexOf(16);
const HEAT_TO = UPPERS.indexOf(2 ** 24);

// Without zeros behind the point, for scales.
const short = (text) => text.replace(/\.0+(?!\d)/, '');

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['blue', 'sky', 'green', 'amber', 'red', 'violet', 'grid', 'soft', 'text', 'surface', 'heat'])
    colours[name] = style.getPropertyValue(`--${name}`).trim();
}

// The next of 2, 4, 10, 20, 40, ...: a half of it is a round number too. Bytes go by 1024. The scale grows at once and shrinks
// late, so that it does not jump.
function niceTop(value, before, isBytes) {
  const unit = isBytes ? 1024 ** Math.floor(Math.log2(Math.max(1, value)) / 10) : 1;
  const power = unit * 10 ** Math.floor(Math.log10(value / unit));
  const top = [1, 2, 4, 10, 20].map((step) => step * power).find((step) => step >= value * 0.999);
  return before && top < before && value > before * 0.3 ? before : top;
}

class Plot {
  // series: {name, colour, value(sample), dash}; kind: lines, stack, heat or bars; floor: the least top of the scale.
  constructor(box, { title, kind, series: rows, format, floor = 1, note = '', which = 0 }) {
    Object.assign(this, { kind, rows, format, floor, which, title, top: 0, at: null, samples: [], time: 0 });
    this.left = kind === 'bars' ? 4 : LEFT;
    this.figure = element('figure', `plot ${kind}`);
    const caption = element('figcaption');
    caption.append(element('h4', '', title), element('span', 'note', note));
    this.note = caption.lastChild;
    this.legend = element('ul', 'legend');
    for (const row of rows) this.legend.append(this.legendRow(row));
    this.canvas = element('canvas');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'img');
    this.figure.append(caption, this.legend, this.canvas);
    box.append(this.figure);
    this.listen();
  }

  legendRow(row) {
    const item = element('li');
    const swatch = element('i', row.dash ? 'dash' : '');
    swatch.setAttribute('aria-hidden', 'true');
    swatch.style.setProperty('--swatch', `var(--${row.colour})`);
    row.shown = element('b', '', NONE);
    item.append(swatch, element('span', '', row.name), row.shown);
    return item;
  }

  listen() {
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.canvas.addEventListener('pointermove', (event) => this.point((event.offsetX - this.left) / (this.canvas.clientWidth - this.left)));
    this.canvas.addEventListener('pointerleave', () => this.point(null));
    this.canvas.addEventListener('blur', () => this.point(null));
    this.canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step === undefined && event.key !== 'Escape') return;
      const steps = this.kind === 'bars' ? HEAT_TO - HEAT_FROM : 60;
      this.point(step === undefined ? null : Math.min(1, Math.max(0, (this.at ?? 1) + step / steps)));
      event.preventDefault();
    });
  }

  point(at) {
    this.at = at === null || at < 0 || at > 1 ? null : at;
    this.draw();
  }

  show(samples, time) {
    this.samples = samples;
    this.time = time;
    this.draw();
  }

  x(time) {
    return LEFT + (this.width - LEFT) * (1 - (this.time - time) / (WINDOW * 1000));
  }

  y(value) {
    return 6 + (this.height - BELOW - 6) * (1 - Math.min(1, value / this.top));
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || !colours.text) return;
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    Object.assign(this, { width, height, pen: this.canvas.getContext('2d') });
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, width, height);
    this.pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
    this.pen.lineJoin = 'round';
    PAINTERS[this.kind](this);
  }

  label(text, x, y, align) {
    this.pen.fillStyle = colours.soft;
    this.pen.textAlign = align;
    this.pen.fillText(text, x, y);
  }

  line(x1, y1, x2, y2, colour) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = 1;
    this.pen.beginPath();
    this.pen.moveTo(x1, y1);
    this.pen.lineTo(x2, y2);
    this.pen.stroke();
  }

  minutes() {
    const step = this.width < 400 ? 2 : 1;
    for (let minute = 0; minute <= WINDOW / 60; minute += step) {
      const x = this.x(this.time - minute * 60000);
      const align = minute === 0 ? 'right' : minute === WINDOW / 60 ? 'left' : 'center';
      this.label(minute === 0 ? 'now' : `\u2212${minute} min`, x, this.height - 4, align);
    }
  }

  scale(most) {
    this.top = niceTop(Math.max(most, this.floor), this.top, this.format === bytes);
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(this.y(share * this.top)) + 0.5;
      this.line(LEFT, y, this.width, y, colours.grid);
      this.label(short(this.format(share * this.top)), LEFT - 6, y + 4, 'right');
    }
    this.minutes();
    if (most === 0) this.label('none lately', (LEFT + this.width) / 2, this.y(this.top / 2) - 6, 'center');
  }

  // Runs of samples without a gap between them.
  runs() {
    const runs = [];
    let last = null;
    for (const sample of this.samples) {
      if (!last || sample.time - last.time > 1000 * sample.seconds + 1500) runs.push([]);
      runs[runs.length - 1].push(sample);
      last = sample;
    }
    return runs;
  }

  // The sample that is pointed at, or the last one.
  chosen() {
    if (this.at === null) return this.samples[this.samples.length - 1];
    const time = this.time - (1 - this.at) * WINDOW * 1000;
    return this.samples.reduce((best, sample) => (!best || Math.abs(sample.time - time) < Math.abs(best.time - time) ? sample : best), null);
  }

  // The legend, the words for those who do not see the plot, and the cursor.
  tell(sample) {
    for (const row of this.rows) {
      const value = sample ? row.value(sample) : null;
      say(row.shown, value === null ? NONE : this.format(value));
    }
    const ago = sample && this.at !== null ? `${span(this.time - sample.time)} ago` : 'now';
    this.canvas.setAttribute('aria-label', `${this.title}, ${ago}: ${this.rows.map((row) => `${row.name} ${row.shown.textContent}`).join(', ')}`);
    if (!sample || this.at === null) return;
    const x = Math.round(this.x(sample.time)) + 0.5;
    this.line(x, 6, x, this.height - BELOW, colours.text);
    this.pen.fillStyle = colours.text;
    this.pen.textAlign = x > this.width - 80 ? 'right' : 'left';
    this.pen.fillText(ago, x + (x > this.width - 80 ? -5 : 5), 16);
  }
}

function paintLines(plot) {
  plot.scale(Math.max(0, ...plot.samples.flatMap((sample) => plot.rows.map((row) => row.value(sample) ?? 0))));
  for (const row of plot.rows) {
    if (plot.samples.every((sample) => !row.value(sample))) continue;
    plot.pen.strokeStyle = colours[row.colour];
    plot.pen.lineWidth = row.dash ? 1.25 : 1.75;
    plot.pen.setLineDash(row.dash ? [4, 3] : []);
    for (const run of plot.runs()) {
      plot.pen.beginPath();
      for (const sample of run) plot.pen.lineTo(plot.x(sample.time), plot.y(row.value(sample) ?? 0));
      plot.pen.stroke();
    }
    plot.pen.setLineDash([]);
  }
  plot.tell(plot.chosen());
}

function paintStack(plot) {
  const height = (sample, rows) => rows.reduce((all, row) => all + row.value(sample), 0);
  plot.scale(Math.max(0, ...plot.samples.map((sample) => height(sample, plot.rows))));
  for (const run of plot.runs()) {
    for (let i = plot.rows.length; i > 0; i--) {
      if (run.every((sample) => plot.rows[i - 1].value(sample) === 0)) continue;
      plot.pen.beginPath();
      plot.pen.moveTo(plot.x(run[0].time), plot.y(0));
      for (const sample of run) plot.pen.lineTo(plot.x(sample.time), plot.y(height(sample, plot.rows.slice(0, i))));
      plot.pen.lineTo(plot.x(run[run.length - 1].time), plot.y(0));
      plot.pen.fillStyle = colours[plot.rows[i - 1].colour];
      plot.pen.fill();
    }
  }
  plot.tell(plot.chosen());
}

// Rows are times of requests, columns moments; the darker, the more.
function paintHeat(plot) {
  const rows = HEAT_TO - HEAT_FROM + 1;
  const tall = (plot.height - BELOW - 6) / rows;
  const place = (us) => plot.height - BELOW - tall * Math.min(rows, Math.max(0, 2 * Math.log2(us / 16) + 1));
  for (const us of [100, 1e4, 1e6]) {
    const y = Math.round(place(us)) + 0.5;
    plot.line(LEFT, y, plot.width, y, colours.grid);
    plot.label(short(duration(us)), LEFT - 6, y + 4, 'right');
  }
  plot.minutes();
  const most = Math.log1p(Math.max(1, ...plot.samples.flatMap((sample) => (sample.cells[plot.which] ?? []).map((number) => number / sample.seconds))));
  plot.pen.fillStyle = colours.heat;
  for (const sample of plot.samples) {
    const left = plot.x(sample.time - sample.seconds * 1000);
    sample.cells[plot.which]?.forEach((number, i) => {
      if (number === 0) return;
      const row = Math.min(rows - 1, Math.max(0, i - HEAT_FROM));
      plot.pen.globalAlpha = 0.12 + 0.88 * Math.log1p(number / sample.seconds) / most;
      plot.pen.fillRect(Math.max(LEFT, left), plot.height - BELOW - (row + 1) * tall, plot.x(sample.time) - left + 0.3, tall + 0.3);
    });
  }
  plot.pen.globalAlpha = 1;
  for (const row of plot.rows) paintHeatLine(plot, row, place);
  plot.tell(plot.chosen());
}

function paintHeatLine(plot, row, place) {
  plot.pen.strokeStyle = colours[row.colour];
  plot.pen.lineWidth = 1.5;
  plot.pen.setLineDash(row.dash ? [4, 3] : []);
  for (const run of plot.runs()) {
    plot.pen.beginPath();
    for (const sample of run) {
      const value = row.value(sample);
      if (value !== null) plot.pen.lineTo(plot.x(sample.time), place(value));
    }
    plot.pen.stroke();
  }
  plot.pen.setLineDash([]);
}

// How many of the last minute took how long: one row after the other, each with its own scale.
function paintBars(plot) {
  const columns = HEAT_TO - HEAT_FROM + 1;
  const wide = (plot.width - 8) / columns;
  const tall = (plot.height - BELOW) / plot.rows.length;
  const most = Math.max(1, ...plot.rows.flatMap((row) => row.cells ?? [0]));
  const at = plot.at === null ? null : Math.min(columns - 1, Math.floor(plot.at * columns));
  plot.rows.forEach((row, r) => {
    const base = (r + 1) * tall - 4;
    const cells = new Array(columns).fill(0);
    (row.cells ?? []).forEach((number, i) => { cells[Math.min(columns - 1, Math.max(0, i - HEAT_FROM))] += number; });
    plot.line(4, Math.round(base) + 0.5, plot.width - 4, Math.round(base) + 0.5, colours.grid);
    cells.forEach((number, i) => {
      if (number === 0) return;
      const high = Math.max(1.5, (tall - 12) * number / most);
      plot.pen.fillStyle = colours[row.colour];
      plot.pen.globalAlpha = at === null || at === i ? 1 : 0.45;
      plot.pen.fillRect(4 + i * wide, base - high, Math.max(1, wide - 1), high);
    });
    plot.pen.globalAlpha = 1;
    say(row.shown, at === null ? row.told() : `${count(cells[at])} of ${count(total(row.cells ?? []))}`);
  });
  for (const us of [100, 1e3, 1e4, 1e5, 1e6])
    plot.label(short(duration(us)), 4 + wide * (2 * Math.log2(us / 16) + 1), plot.height - 4, 'center');
  say(plot.note, at === null ? 'last minute' : `up to ${duration(UPPERS[at + HEAT_FROM])}`);
  plot.canvas.setAttribute('aria-label', `${plot.title}, ${plot.note.textContent}: ${plot.rows.map((row) => `${row.name} ${row.shown.textContent}`).join(', ')}`);
}

const PAINTERS = { lines: paintLines, stack: paintStack, heat: paintHeat, bars: paintBars };

// A line without numbers, for a tile or a row of a table.
function spark(canvas, values, colour) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  if (width === 0) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const end = model.state.time_ms;
  const top = Math.max(1e-9, ...values.map(([, value]) => value)) * 1.08;
  const x = (time) => width * (1 - (end - time) / (WINDOW * 1000)) - 1;
  const y = (value) => height - 1.5 - (height - 3) * value / top;
  if (values.length === 0) return;
  pen.beginPath();
  for (const [time, value] of values) pen.lineTo(x(time), y(value));
  pen.strokeStyle = colours[values.some(([, value]) => value > 0) ? colour : 'grid'];
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  pen.stroke();
  pen.lineTo(x(values[values.length - 1][0]), height);
  pen.lineTo(x(values[0][0]), height);
  pen.globalAlpha = 0.13;
  pen.fillStyle = colours[colour];
  pen.fill();
  pen.globalAlpha = 1;
}
