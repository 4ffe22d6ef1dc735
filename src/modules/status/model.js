// What the daemon has said lately. It gives counters since its start; what is shown are their differences.

const WINDOW = 300; // seconds that are kept and drawn
const RECENT = 10; // seconds that numbers are taken from
const LAST = 60; // seconds that lists are sorted by

// Upper ends of the daemon's buckets in microseconds: two for each power of two, and one without end.
const UPPERS = [1, 2];
for (let power = 1; power <= 25; power++) UPPERS.push(1.5 * 2 ** power, 2 ** (power + 1));
UPPERS.push(Infinity);
const BUCKET = new Map(UPPERS.map((upper, i) => [upper, i]));

const LATENCIES = ['duration_us', 'queue_us', 'handler_us'];

function cellsOf(histogram) {
  const cells = new Array(UPPERS.length).fill(0);
  for (const [upper, number] of histogram?.buckets ?? []) cells[BUCKET.get(upper ?? Infinity) ?? 0] += number;
  return cells;
}

function total(cells) {
  return cells.reduce((sum, number) => sum + number, 0);
}

// The value that `share` of all do not exceed, taken evenly within its bucket; null of nothing.
function quantile(cells, share) {
  const wanted = share * total(cells);
  if (wanted === 0) return null;
  let below = 0;
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] > 0 && below + cells[i] >= wanted) {
      const from = i > 0 ? UPPERS[i - 1] : 0;
      return Number.isFinite(UPPERS[i]) ? from + (UPPERS[i] - from) * (wanted - below) / cells[i] : from;
    }
    below += cells[i];
  }
  return UPPERS[UPPERS.length - 2];
}

function sum(object) {
  return Object.values(object ?? {}).reduce((all, number) => all + number, 0);
}

// Counters by name, as one flat object for each place.
function countersOf(server) {
  const { requests = {}, connections = {}, websocket = {}, line = {}, pool = {}, stalls = {}, bytes: traffic = {} } = server;
  return {
    total: requests.total ?? 0, c1: requests['1xx'] ?? 0, c2: requests['2xx'] ?? 0, c3: requests['3xx'] ?? 0,
    c4: requests['4xx'] ?? 0, c5: requests['5xx'] ?? 0, aborted: requests.aborted ?? 0,
    refused: (requests.refused ?? 0) + sum(pool.refused), in: traffic.in ?? 0, out: traffic.out ?? 0,
    accepted: connections.accepted ?? 0, turnedAway: connections.refused ?? 0, pauses: sum(connections.pauses),
    wsIn: websocket.in ?? 0, wsOut: websocket.out ?? 0, lineIn: line.in ?? 0, lineOut: line.out ?? 0,
    dropped: (websocket.dropped ?? 0) + (line.dropped ?? 0), loopStalls: stalls.loop ?? 0, workerStalls: stalls.worker ?? 0,
    accessDrops: server.access_log?.drops ?? 0,
  };
}

function gaugesOf(server) {
  const { connections = {}, pool, hub = {} } = server;
  return {
    open: connections.open ?? 0, idle: connections.idle ?? 0, active: connections.active ?? 0, websocket: connections.websocket ?? 0,
    line: connections.line ?? 0, outgoing: connections.outgoing ?? 0, requests: server.requests?.active ?? 0,
    threads: pool?.threads ?? 0, max: pool?.max ?? 0, running: pool?.running ?? 0, blocked: pool?.blocked ?? 0, stuck: pool?.stuck ?? 0,
    clients: pool?.queued?.clients ?? 0, callbacks: pool?.queued?.callbacks ?? 0, tasks: pool?.queued?.tasks ?? 0,
    waiting: hub.waiting ?? 0, capacity: hub.capacity ?? 0,
  };
}

function difference(now, before) {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, Math.max(0, value - (before[name] ?? 0))]));
}

// null: nothing happened, as on most of a thousand routes.
function cellsBetween(now, before) {
  return now.some((number, i) => number !== before[i]) ? now.map((number, i) => Math.max(0, number - before[i])) : null;
}

// One place that is counted: a server, a route, a type of messages. Its samples are what happened between two answers.
class Series {
  constructor(keep = WINDOW) {
    this.keep = keep;
    this.samples = [];
    this.before = null;
  }

  // `counters` and `cells` since the start, `gauges` now; `seconds` 0 begins anew.
  take(time, seconds, counters, cells = [], gauges = {}) {
    if (this.before && seconds > 0) {
      this.samples.push({
        time, seconds, gauges, counted: difference(counters, this.before.counters),
        cells: cells.map((row, i) => cellsBetween(row, this.before.cells[i])),
      });
    }
    this.before = { counters, cells };
    this.gauges = gauges;
    while (this.samples.length > 0 && this.samples[0].time < time - this.keep * 1000) this.samples.shift();
  }

  recent(seconds) {
    const last = this.samples[this.samples.length - 1];
    return last ? this.samples.filter((sample) => sample.time > last.time - seconds * 1000 || sample === last) : [];
  }

  counted(name, seconds = WINDOW) {
    return this.recent(seconds).reduce((all, sample) => all + sample.counted[name], 0);
  }

  rate(name, seconds = RECENT) {
    const samples = this.recent(seconds);
    const time = samples.reduce((all, sample) => all + sample.seconds, 0);
    return time > 0 ? samples.reduce((all, sample) => all + sample.counted[name], 0) / time : 0;
  }

  cells(which, seconds = RECENT) {
    const all = new Array(UPPERS.length).fill(0);
    for (const sample of this.recent(seconds)) sample.cells[which]?.forEach((number, i) => { all[i] += number; });
    return all;
  }
}

const model = { state: null, all: new Series(), servers: new Map(), routes: new Map(), messages: new Map(), metrics: new Map() };

function series(map, key, keep) {
  if (!map.has(key)) map.set(key, new Series(keep));
  return map.get(key);
}

function forget(map, keys) {
  for (const key of [...map.keys()]) if (!keys.has(key)) map.delete(key);
}

const routeKey = (server, route) => `${server}\n${route}`;
const metricKey = (metric) => JSON.stringify([metric.name, metric.labels]);

function takeServer(time, seconds, server) {
  const cells = LATENCIES.map((name) => cellsOf(server[name]));
  series(model.servers, server.name).take(time, seconds, countersOf(server), cells, gaugesOf(server));
  for (const route of server.routes ?? []) {
    const { total: all = 0, '5xx': broken = 0, aborted = 0 } = route.requests ?? {};
    series(model.routes, routeKey(server.name, route.route), LAST).take(time, seconds, { all, bad: broken + aborted }, [cellsOf(route.duration_us)]);
  }
  return cells[0];
}

// All servers together, and the process.
function takeAll(time, seconds, state, cells) {
  const counters = {};
  for (const server of state.servers)
    for (const [name, value] of Object.entries(countersOf(server))) counters[name] = (counters[name] ?? 0) + value;
  const cpu = state.process?.cpu_ms ?? {};
  Object.assign(counters, { cpu: (cpu.user ?? 0) + (cpu.system ?? 0), logDrops: state.log?.drops ?? 0, badReloads: state.generation?.reloads?.bad ?? 0 });
  const open = state.servers.reduce((all, server) => all + (server.connections?.open ?? 0), 0);
  model.all.take(time, seconds, counters, [cells], { open, resident: state.process?.memory?.resident ?? 0 });
}

// A daemon that was started anew counts from 0 again.
function take(state) {
  const old = model.state;
  const same = old && old.started_ms === state.started_ms && old.process?.pid === state.process?.pid;
  const seconds = same ? (state.time_ms - old.time_ms) / 1000 : 0;
  if (same && seconds <= 0) return;
  const time = state.time_ms;
  model.state = state;
  const cells = new Array(UPPERS.length).fill(0);
  for (const server of state.servers) takeServer(time, seconds, server).forEach((number, i) => { cells[i] += number; });
  takeAll(time, seconds, state, cells);
  for (const message of state.messages ?? [])
    series(model.messages, message.type).take(time, seconds, { sent: message.sent, taken: message.taken, refused: message.refused });
  for (const metric of state.metrics ?? [])
    series(model.metrics, metricKey(metric)).take(time, seconds, { value: metric.histogram?.count ?? metric.value ?? 0 }, [cellsOf(metric.histogram)]);
  forget(model.servers, new Set(state.servers.map((server) => server.name)));
  forget(model.routes, new Set(state.servers.flatMap((server) => (server.routes ?? []).map((route) => routeKey(server.name, route.route)))));
  forget(model.metrics, new Set((state.metrics ?? []).map(metricKey)));
}
