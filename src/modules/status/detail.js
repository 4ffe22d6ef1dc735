// One server in detail, and the tables below.

const ROUTES_SHOWN = 15;
const METRICS_SHOWN = 30;
const perSecond = (...names) => (s) => names.reduce((all, name) => all + s.counted[name], 0) / s.seconds;
const gauge = (name) => (s) => s.gauges[name];
const share = (which, part) => (s) => (s.cells[which] ? quantile(s.cells[which], part) : null);
const percentiles = (which) => [
  { name: 'p50', colour: 'green', value: share(which, 0.5) },
  { name: 'p99', colour: 'red', dash: true, value: share(which, 0.99) },
];

const PLOTS = [
  { title: 'Requests per second', kind: 'stack', format: rate, floor: 1, series: [
    { name: '2xx', colour: 'blue', value: perSecond('c2') },
    { name: '1xx, 3xx', colour: 'sky', value: perSecond('c1', 'c3') },
    { name: '4xx', colour: 'amber', value: perSecond('c4') },
    { name: '5xx, aborted', colour: 'red', value: perSecond('c5', 'aborted') } ] },
  { title: 'Time from request to reply', kind: 'heat', format: duration, which: 0, note: 'stronger: more', series: percentiles(0) },
  { title: 'How long requests took', kind: 'bars', format: count, note: 'last minute', series: [
    { name: 'in all', colour: 'blue', which: 0 },
    { name: 'waiting for a worker', colour: 'amber', which: 1 },
    { name: 'in the handler', colour: 'green', which: 2 } ] },
  { title: 'Workers and queue', kind: 'lines', format: count, floor: 4, series: [
    { name: 'busy', colour: 'blue', value: gauge('running') },
    { name: 'at most', colour: 'soft', dash: true, value: gauge('max') },
    { name: 'queued', colour: 'amber', value: (s) => queuedAt(s.gauges) },
    { name: 'stuck', colour: 'red', value: gauge('stuck') } ] },
  { title: 'Connections', kind: 'stack', format: count, floor: 4, series: [
    { name: 'busy', colour: 'blue', value: gauge('active') },
    { name: 'idle', colour: 'sky', value: gauge('idle') },
    { name: 'WebSocket', colour: 'green', value: gauge('websocket') },
    { name: 'lines', colour: 'violet', value: gauge('line') },
    { name: 'outgoing', colour: 'amber', value: gauge('outgoing') } ] },
  { title: 'Bytes per second', kind: 'lines', format: bytes, floor: 1000, series: [
    { name: 'in', colour: 'green', value: perSecond('in') },
    { name: 'out', colour: 'blue', value: perSecond('out') } ] },
  { title: 'Wait for a worker', kind: 'heat', format: duration, which: 1, note: 'stronger: more', series: percentiles(1) },
  { title: 'WebSocket and lines, per second', kind: 'lines', format: rate, floor: 1, series: [
    { name: 'WebSocket in', colour: 'green', value: perSecond('wsIn') },
    { name: 'out', colour: 'blue', value: perSecond('wsOut') },
    { name: 'lines in', colour: 'amber', value: perSecond('lineIn') },
    { name: 'out', colour: 'violet', value: perSecond('lineOut') },
    { name: 'dropped', colour: 'red', dash: true, value: perSecond('dropped') } ] },
  { title: 'Messages that wait here', kind: 'lines', format: count, floor: 10, series: [
    { name: 'waiting', colour: 'violet', value: gauge('waiting') } ] },
];

const plots = [];
const tables = {};

function makePlots() {
  for (const { series: rows, ...options } of PLOTS) {
    for (const row of rows.filter(({ which }) => which !== undefined))
      row.told = () => (total(row.cells ?? []) > 0 ? `p50 ${duration(quantile(row.cells, 0.5))}, p99 ${duration(quantile(row.cells, 0.99))}` : NONE);
    plots.push(new Plot($('plots'), { ...options, series: rows }));
  }
}

function showPlots(series) {
  for (const plot of plots) {
    if (plot.kind === 'bars') for (const row of plot.rows) row.cells = series.cells(row.which, LAST);
    plot.show(series.samples, model.state.time_ms);
  }
}

const CLOSED = { normal: null, client: 'by the client', lost: 'lost', timeout: 'after a time-out', protocol: 'for an error in the protocol',
  security: 'for security', network: 'for an error of the network', handler: 'by a handler', shutdown: 'at the end of the server',
  backlog: 'too slow to read' };

function factsOf(server) {
  const { connections = {}, pool, stalls = {}, old = {}, hub = {}, requests = {} } = server;
  const closed = Object.entries(connections.closed ?? {}).filter(([cause, n]) => n > 0 && CLOSED[cause] !== null)
    .map(([cause, n]) => `${count(n)} ${CLOSED[cause] ?? cause}`);
  const facts = [['requests', count(requests.total ?? 0)], ['being handled', count(requests.active ?? 0)],
    ['connections accepted', count(connections.accepted ?? 0)]];
  if (closed.length > 0) facts.push(['closed', closed.join(', ')]);
  if (pool?.max > 0) facts.push(['threads', `${pool.threads} of ${pool.max}`]);
  if (hub.capacity > 0) facts.push(['messages waiting', `${count(hub.waiting)} of ${count(hub.capacity)}`]);
  facts.push(['stalls', `${count(stalls.loop ?? 0)} loop, ${count(stalls.worker ?? 0)} worker`]);
  if (old.programs > 0) facts.push(['on old generations', times(old.sessions ?? 0, 'session', 'sessions')]);
  return facts;
}

function makeRoute(row, { key }) {
  cell(row).textContent = key === 'none' ? '(no route)' : key;
  row.made.title = key;
  cell(row);
  const bar = element('span', 'share');
  bar.append(element('b'));
  bar.setAttribute('aria-hidden', 'true');
  cell(row, 'wide').append(bar);
  row.bar = bar.firstChild;
  for (let i = 0; i < 4; i++) cell(row);
}

function writeRoute(row, { series, rate: all, most, total: number }) {
  const bad = series.rate('bad', LAST);
  const cells = series.cells(0, LAST);
  markNumber(row.cells[1], rate(all), all === 0);
  row.bar.style.width = `${most > 0 ? 100 * all / most : 0}%`;
  markNumber(row.cells[3], bad > 0 ? percent(bad, all) : '0', bad === 0, bad > all / 100);
  markNumber(row.cells[4], duration(quantile(cells, 0.5)), all === 0);
  markNumber(row.cells[5], duration(quantile(cells, 0.99)), all === 0);
  say(row.cells[6], count(number));
}

function showRoutes(server) {
  const routes = (server.routes ?? []).map((route) => {
    const series = model.routes.get(routeKey(server.name, route.route));
    return { key: route.route, series, rate: series.rate('all', LAST), total: route.requests?.total ?? 0 };
  }).filter((route) => route.key !== 'none' || route.total > 0);
  routes.sort((a, b) => b.rate - a.rate || b.total - a.total || (a.key < b.key ? -1 : 1));
  const most = routes.reduce((all, route) => all + route.rate, 0);
  say($('routes-note'), routes.length > ROUTES_SHOWN ? `the ${ROUTES_SHOWN} busiest of ${routes.length} in the last minute` : 'last minute');
  tables.routes.show(routes.slice(0, ROUTES_SHOWN).map((route) => ({ ...route, most })));
}

function showDetail(state) {
  const server = state.servers.find(({ name }) => name === shown) ?? state.servers[0];
  if (!server) return;
  shown = server.name;
  say($('detail-title'), server.name);
  showFacts($('detail-facts'), factsOf(server));
  showPlots(model.servers.get(server.name));
  showRoutes(server);
}

function makeMessage(row, { key }) {
  cell(row).textContent = key;
  row.canvas = sparkCell(row);
  for (let i = 0; i < 4; i++) cell(row);
}

function writeMessage(row, { series, message }) {
  const [sent, taken] = [series.rate('sent'), series.rate('taken')];
  spark(row.canvas, series.samples.map((sample) => [sample.time, sample.counted.sent / sample.seconds]), 'violet');
  markNumber(row.cells[2], rate(sent), sent === 0);
  markNumber(row.cells[3], rate(taken), taken === 0);
  markNumber(row.cells[4], count(message.refused), message.refused === 0, series.counted('refused', LAST) > 0);
  say(row.cells[5], count(message.sent));
}

function makeMetric(row, { key, metric }) {
  cell(row).textContent = metric.name;
  row.made.title = metric.help ?? key;
  cell(row, 'zero').textContent = Object.values(metric.labels ?? {}).join(' \u00b7 ');
  cell(row);
  cell(row);
}

function writeMetric(row, { series, metric }) {
  const perSecond = metric.kind === 'gauge' ? null : series.rate('value', LAST);
  const p99 = metric.histogram ? quantile(series.cells(0, LAST), 0.99) : null;
  say(row.cells[2], metric.histogram ? `p99 ${duration(p99)}` : count(metric.value));
  markNumber(row.cells[3], perSecond === null ? NONE : rate(perSecond), !perSecond);
}

function makeTables() {
  tables.servers = new Rows($('servers'), makeServer, writeServer, 'There are no servers.');
  tables.routes = new Rows($('routes'), makeRoute, writeRoute, 'This server has no routes.');
  tables.messages = new Rows($('messages'), makeMessage, writeMessage, 'No messages are declared.');
  tables.metrics = new Rows($('metrics'), makeMetric, writeMetric, 'No module counts anything of its own.');
}

function showTables(state) {
  tables.servers.show(state.servers.map((server) => ({ key: server.name, series: model.servers.get(server.name), up: server.up })));
  tables.messages.show((state.messages ?? []).map((message) => ({ key: message.type, message, series: model.messages.get(message.type) })));
  tables.metrics.show((state.metrics ?? []).slice(0, METRICS_SHOWN).map((metric) => ({ key: metricKey(metric), metric, series: model.metrics.get(metricKey(metric)) })));
}
