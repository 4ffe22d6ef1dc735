// Asks again and again, says when nobody answers, and keeps what the reader has chosen.

const PATIENCE = 5000; // for one answer, beside the time between two
const THEMES = { auto: 'Auto', light: 'Light', dark: 'Dark' };

let shown = new URLSearchParams(location.hash.slice(1)).get('server');
let refresh = 2000;
let timer = null;
let asking = false;
let answered = null; // when the last answer came
let paused = false;

function stored(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // Without a store the choice lasts as long as the page.
  }
  return value;
}

let theme = THEMES[stored('retinue-theme')] ? stored('retinue-theme') : 'auto';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

function applyTheme() {
  document.documentElement.dataset.theme = theme === 'auto' ? (prefersDark.matches ? 'dark' : 'light') : theme;
  readColours();
}

function showTheme() {
  applyTheme();
  say($('theme'), THEMES[theme]);
  $('theme').setAttribute('aria-label', `Colours: ${THEMES[theme]}`);
  if (model.state) show();
}

function nextTheme() {
  const names = Object.keys(THEMES);
  theme = names[(names.indexOf(theme) + 1) % names.length];
  stored('retinue-theme', theme);
  showTheme();
}

function choose(name) {
  shown = name;
  history.replaceState(null, '', `#${new URLSearchParams({ server: name })}`);
  if (model.state) show();
}

function show() {
  const { state } = model;
  showDetail(state); // chooses one when none is chosen
  showTiles();
  showFacts($('facts'), factsOfAll(state));
  showAlerts(state);
  showTables(state);
}

function setState(name, text) {
  $('state').dataset.state = name;
  say($('state-text'), text);
  $('page').classList.toggle('gone', name === 'gone');
  document.title = (name === 'gone' ? '\u26a0 ' : '') + $('title').textContent;
}

function showGone() {
  setState('gone', 'No answer. Trying again');
  const since = model.state ? `; what is shown is from ${new Date(model.state.time_ms).toLocaleTimeString()}` : '';
  writeAlerts([['bad', `The daemon does not answer${since}`]]);
}

function showState() {
  if (paused) setState('paused', 'Paused');
  else if (answered === 0) showGone();
  else if (answered !== null) setState('live', `Live, every ${span(refresh).replace('0 s', `${refresh} ms`)}`);
}

async function ask() {
  asking = true;
  try {
    const answer = await fetch(`${location.pathname}?status.json`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE + refresh) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    take(await answer.json());
    answered = Date.now();
    if (!paused) show();
  } catch (error) {
    if (!['TypeError', 'AbortError', 'TimeoutError', 'SyntaxError'].includes(error.name) && !/^status/.test(error.message)) throw error;
    answered = 0;
  } finally {
    asking = false;
    showState();
    later();
  }
}

function later() {
  clearTimeout(timer);
  if (!paused) timer = setTimeout(ask, refresh);
}

function pause() {
  paused = !paused;
  $('pause').setAttribute('aria-pressed', String(paused));
  showState();
  if (!paused && !asking) ask();
}

function begin() {
  refresh = Number(document.body.dataset.refresh);
  say($('title'), document.title);
  makeTiles();
  makePlots();
  makeTables();
  showTheme();
  $('theme').addEventListener('click', nextTheme);
  $('pause').addEventListener('click', pause);
  prefersDark.addEventListener('change', showTheme);
  addEventListener('resize', () => model.state && show());
  ask();
}

applyTheme();
addEventListener('DOMContentLoaded', begin);
