// Elements, numbers and times as people read them.

const NONE = '\u2013';
const $ = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Writing the same text again would make the browser lay it out again.
function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

function digits(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function scaled(value, base, units) {
  let i = 0;
  for (; i < units.length - 1 && value >= base * 0.9995; i++) value /= base;
  return { value, unit: units[i] };
}

function count(value) {
  if (value < 10000) return String(Math.round(value));
  const { value: shown, unit } = scaled(value, 1000, ['', 'k', 'M', 'G', 'T']);
  return digits(shown) + unit;
}

// Per second: the small ones with a digit behind the point.
function rate(value) {
  if (value === 0) return '0';
  return value < 0.05 ? '<0.1' : value < 99.95 ? value.toFixed(1) : count(value);
}

function bytes(value) {
  if (value < 1000) return `${Math.round(value)} B`;
  const { value: shown, unit } = scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
  return `${digits(shown)} ${unit}`;
}

function byteRate(value) {
  return `${bytes(value)}/s`;
}

// Microseconds.
function duration(value) {
  if (value === null) return NONE;
  if (value < 999.5) return `${Math.round(value)} \u00b5s`;
  const { value: shown, unit } = scaled(value / 1000, 1000, ['ms', 's']);
  return `${digits(shown)} ${unit}`;
}

function percent(part, whole) {
  if (whole <= 0) return NONE;
  const share = 100 * part / whole;
  return share > 0 && share < 0.1 ? '<0.1 %' : `${share < 10 && share > 0 ? share.toFixed(1) : Math.round(share)} %`;
}

// Milliseconds, in the two largest units.
function span(value) {
  const seconds = Math.max(0, Math.floor(value / 1000));
  const parts = [[Math.floor(seconds / 86400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's']];
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) return '0 s';
  return parts.slice(first, first + 2).map(([number, unit]) => `${number} ${unit}`).join(' ');
}

function times(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
