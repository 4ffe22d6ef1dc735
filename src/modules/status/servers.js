// What stands above the plots: the tiles, what needs attention, and the table of servers.

const TILES = [
  { name: 'Requests/s', colour: 'blue', now: (all) => rate(all.rate('total')), value: (s) => s.counted.total / s.seconds },
  { name: 'Errors/s', colour: 'red', now: (all) => rate(all.rate('c5') + all.rate('aborted') + all.rate('refused')),
    value: (s) => (s.counted.c5 + s.counted.aborted + s.counted.refused) / s.seconds },
  { name: '99 % are faster than', colour: 'violet', now: (all) => duration(quantile(all.cells(0), 0.99)),
    value: (s) => (s.cells[0] ? quantile(s.cells[0], 0.99) : 0) },
  { name: 'Connections', colour: 'green', now: (all) => count(all.gauges.open), value: (s) => s.gauges.open },
  { name: 'CPU', colour: 'amber', now: (all) => `${Math.round(all.rate('cpu') / 10)} %`, value: (s) => s.counted.cpu / s.seconds },
  { name: 'Memory', colour: 'sky', now: (all) => bytes(all.gauges.resident), value: (s) => s.gauges.resident },
];

function makeTiles() {
  for (const tile of TILES) {
    const item = element('li');
    tile.shown = element('b', '', NONE);
    tile.canvas = element('canvas');
    tile.canvas.setAttribute('aria-hidden', 'true');
    item.append(element('span', '', tile.name), tile.shown, tile.canvas);
    $('tiles').append(item);
  }
}

function showTiles() {
  for (const tile of TILES) {
    say(tile.shown, tile.now(model.all));
    spark(tile.canvas, model.all.samples.map((sample) => [sample.time, tile.value(sample)]), tile.colour);
  }
}

// "up 3 h 2 min" with the words that carry it in bold.
function showFacts(where, facts) {
  const text = facts.map(([name, value]) => `${name} ${value}`).join();
  if (where.dataset.text === text) return;
  where.dataset.text = text;
  where.replaceChildren(...facts.map(([name, value]) => {
    const fact = element('span', '', `${name} `);
    fact.append(element('b', '', value));
    return fact;
  }));
}

function factsOfAll({ version, uptime_ms: uptime, process = {}, generation, log = {} }) {
  const facts = [['version', version], ['up', span(uptime)], ['process', String(process.pid ?? NONE)], ['threads', String(process.threads ?? NONE)]];
  if (process.descriptors) facts.push(['descriptors', `${count(process.descriptors.open)} of ${count(process.descriptors.max)}`]);
  if (generation) {
    const { current, alive = 1, reloads = {}, loaded_ms: loaded } = generation;
    facts.push(['generation', `${current}${alive > 1 ? ` (${alive} alive)` : ''}`]);
    if (loaded) facts.push(['loaded', `${span(model.state.time_ms - loaded)} ago`]);
    facts.push(['reloads', `${reloads.good ?? 0} good, ${reloads.bad ?? 0} failed`]);
  }
  facts.push(['log lines lost', count(log.drops ?? 0)]);
  return facts;
}

const queuedAt = (gauges) => gauges.clients + gauges.callbacks + gauges.tasks;
// Busy alone is no shortage: the request for these numbers has a worker, too.
const areShort = (gauges) => gauges.max > 0 && gauges.running >= gauges.max && queuedAt(gauges) > 0;

// Rows: how bad, how many there are, and what to say of so many.
const ALERTS = [
  ['bad', (s, g) => g.stuck, (n) => `${times(n, 'worker is', 'workers are')} stuck in a handler`],
  ['bad', (s) => s.counted('loopStalls'), (n) => `a handler held the loop ${times(n, 'time', 'times')} in 5 minutes`],
  ['warn', (s) => s.counted('workerStalls'), (n) => `${times(n, 'handler', 'handlers')} ran out of time in 5 minutes`],
  ['bad', (s) => s.counted('refused', LAST), (n) => `refused ${times(n, 'request', 'requests')} in the last minute: the queue was full`],
  ['bad', (s) => (s.counted('c5', LAST) + s.counted('aborted', LAST) > s.counted('total', LAST) / 100 ? s.counted('c5', LAST) + s.counted('aborted', LAST) : 0),
    (n, s) => `${percent(n, s.counted('total', LAST))} of requests failed in the last minute`],
  ['warn', (s) => s.counted('turnedAway', LAST), (n) => `${times(n, 'connection', 'connections')} turned away in the last minute`],
  ['warn', (s) => s.counted('pauses', LAST), () => 'stopped accepting for a while in the last minute'],
  ['warn', (s, g) => (areShort(g) ? queuedAt(g) : 0), (n) => `${times(n, 'call waits', 'calls wait')} for a worker, and all are busy`],
  ['warn', (s, g) => (g.capacity > 0 && g.waiting >= 0.8 * g.capacity ? g.waiting : 0), (n, s, g) => `${count(n)} of ${count(g.capacity)} messages wait`],
  ['warn', (s) => s.counted('dropped', LAST), (n) => `${times(n, 'message', 'messages')} not sent to slow clients in the last minute`],
  ['warn', (s) => s.counted('accessDrops'), (n) => `${times(n, 'access line', 'access lines')} lost in 5 minutes`],
];

function alertsOf(name) {
  const s = model.servers.get(name);
  const g = s?.gauges;
  if (!g) return [];
  return ALERTS.map(([how, measure, tell]) => [how, measure(s, g), tell]).filter(([, n]) => n > 0)
    .map(([how, n, tell]) => [how, `${name}: ${tell(n, s, g)}`]);
}

function alertsOfAll(state) {
  const alerts = [];
  const lost = model.all.counted('logDrops');
  if (lost > 0) alerts.push(['warn', `${times(lost, 'log line', 'log lines')} lost in 5 minutes`]);
  if (model.all.counted('badReloads') > 0) alerts.push(['bad', 'a reload failed within 5 minutes']);
  if ((state.generation?.alive ?? 1) > 1) alerts.push(['warn', `${state.generation.alive - 1} old generation${state.generation.alive > 2 ? 's' : ''} in use`]);
  for (const [type, series] of model.messages) {
    const refused = series.counted('refused', LAST);
    if (refused > 0) alerts.push(['bad', `${type}: ${times(refused, 'message', 'messages')} refused in the last minute`]);
  }
  return alerts;
}

const MOST_STUCK = 8; // that are named

// Minutes only, so that the text stays for a while.
function stuckAlert({ thread, handler, ms }) {
  const minutes = Math.floor(ms / 60000);
  return ['bad', `${thread}: ${handler} does not come back${minutes > 0 ? `, for ${span(minutes * 60000)} now` : ''}`];
}

function stuckAlerts(stuck) {
  const named = stuck.slice(0, MOST_STUCK).map(stuckAlert);
  return stuck.length > named.length ? [...named, ['bad', `${count(stuck.length - named.length)} more are stuck`]] : named;
}

function showAlerts(state) {
  const alerts = [...stuckAlerts(state.stuck ?? []), ...state.servers.flatMap((server) => alertsOf(server.name)), ...alertsOfAll(state)];
  writeAlerts(alerts.length > 0 ? alerts : [['good', 'Nothing needs attention']]);
}

// Only what is new is written, so that readers aloud do not begin again every two seconds.
function writeAlerts(alerts) {
  const items = [...$('alerts').children];
  alerts.forEach(([how, text], i) => {
    const item = items[i] ?? $('alerts').appendChild(element('li'));
    if (item.className !== how) item.className = how;
    say(item, text);
  });
  items.slice(alerts.length).forEach((item) => item.remove());
}

// One row of a table is made once and then only written to.
class Rows {
  constructor(table, make, write, none) {
    Object.assign(this, { body: table.querySelector('tbody'), columns: table.querySelectorAll('th').length, make, write, rows: new Map() });
    this.none = element('tr');
    this.none.append(element('td', 'none', none));
    this.none.firstChild.colSpan = this.columns;
  }

  show(items) {
    const keys = new Set(items.map((item) => item.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.made.remove();
      this.rows.delete(key);
    }
    items.forEach((item, i) => {
      if (!this.rows.has(item.key)) this.rows.set(item.key, { made: element('tr'), cells: [] });
      const row = this.rows.get(item.key);
      if (row.cells.length === 0) this.make(row, item);
      if (this.body.children[i] !== row.made) this.body.insertBefore(row.made, this.body.children[i] ?? null);
      this.write(row, item);
    });
    if (items.length === 0) this.body.append(this.none);
    else this.none.remove();
  }
}

function cell(row, className, name) {
  const made = element('td', className);
  if (name) made.dataset.name = name;
  row.made.append(made);
  row.cells.push(made);
  return made;
}

function sparkCell(row) {
  const canvas = element('canvas');
  canvas.setAttribute('aria-hidden', 'true');
  cell(row, 'wide').append(canvas);
  return canvas;
}

function meter(where) {
  const box = element('span', 'meter');
  const bar = element('i');
  bar.append(element('b'));
  bar.setAttribute('aria-hidden', 'true');
  box.append(bar, element('span'));
  where.append(box);
  return (text, share, alarm = '') => {
    say(box.lastChild, text);
    bar.firstChild.style.width = `${Math.min(100, 100 * share)}%`;
    box.className = `meter ${alarm}`;
  };
}

function makeServer(row, { key }) {
  const button = element('button', '', key);
  button.type = 'button';
  row.button = button;
  cell(row).append(button);
  row.made.addEventListener('click', () => choose(key));
  row.canvas = sparkCell(row);
  for (const name of ['Requests/s', 'Errors', 'p50', 'p99']) cell(row, '', name);
  row.queue = cell(row, '', 'Queue');
  row.workers = meter(cell(row, '', 'Workers'));
  const connections = cell(row, '', 'Connections');
  row.open = element('span');
  row.kinds = element('span', 'kinds');
  connections.append(row.open, row.kinds);
}

const MESSAGES = ['wsIn', 'wsOut', 'lineIn', 'lineOut'];

function kindsOf(gauges) {
  const kinds = [['active', 'busy'], ['idle', 'idle'], ['websocket', 'WebSocket'], ['line', 'lines'], ['outgoing', 'outgoing']];
  return kinds.filter(([name]) => gauges[name] > 0).map(([name, word]) => `${count(gauges[name])} ${word}`).join(', ') || '\u00a0';
}

function markNumber(where, text, isZero, isHot) {
  say(where, text);
  where.classList.toggle('zero', isZero);
  where.classList.toggle('hot', Boolean(isHot));
}

// Others work in place of those that are stuck.
function workersOf({ running, max, stuck }) {
  const beside = Math.min(stuck, Math.max(0, running - max));
  return `${running - beside} of ${max}${beside > 0 ? ` + ${beside} stuck` : ''}`;
}

function writeServer(row, { key, series, up }) {
  const { gauges } = series;
  const failed = series.rate('c5') + series.rate('aborted') + series.rate('refused');
  const all = series.rate('total');
  row.made.classList.toggle('shown', key === shown);
  row.button.setAttribute('aria-pressed', String(key === shown));
  say(row.button, up === undefined ? `${key} (stopped)` : key);
  markNumber(row.cells[2], rate(all), all === 0);
  markNumber(row.cells[3], failed > 0 ? percent(failed, all) : '0', failed === 0, failed > all / 100);
  const cells = series.cells(0);
  for (const [i, share] of [[4, 0.5], [5, 0.99]]) markNumber(row.cells[i], duration(quantile(cells, share)), all === 0);
  const queued = queuedAt(gauges);
  markNumber(row.queue, count(queued), queued === 0, false);
  row.queue.classList.toggle('warm', areShort(gauges));
  if (gauges.max === 0) row.workers('none', 0);
  else row.workers(workersOf(gauges), Math.min(1, gauges.running / gauges.max), gauges.stuck > 0 ? 'hot' : areShort(gauges) ? 'warm' : '');
  say(row.open, count(gauges.open));
  const messages = MESSAGES.reduce((sum, name) => sum + series.rate(name), 0);
  say(row.kinds, kindsOf(gauges) + (messages > 0 ? `, ${rate(messages)} messages/s` : ''));
  spark(row.canvas, series.samples.map(({ time, seconds, counted }) =>
    [time, MESSAGES.reduce((sum, name) => sum + counted[name], counted.total) / seconds]), 'blue');
}
