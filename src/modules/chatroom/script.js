// The page of the chatroom. One WebSocket at the path of the page; what is said in all rooms that this window is in comes over it.
// All text from elsewhere goes through textContent.
//
// A message that is sent is shown at once, as pending, and stays in the outbox until it comes back with its ref: so nothing is lost
// when the connection breaks, and nothing is said twice.
const FIRST_ROOM = 'lobby';
const SHOWN_MOST = 500; // messages per room on the page
const CLOSE_REPLACED = 4001;
const FIRST_PAUSE = 500; // ms, doubled with each failure
const LONGEST_PAUSE = 15000;
const LEFT_AFTER = 3000; // ms: who comes back by then has reloaded
const GROUP_WITHIN = 5 * 60 * 1000;

const title = document.title;
const $ = (id) => document.getElementById(id);

const session = store(() => sessionStorage);
const local = store(() => localStorage);
const me = {
  name: session.get('name'),
  key: session.get('key') || random(32),
  refs: random(8),
  sent: 0,
};
session.set('key', me.key);

let socket = null;
let opened = false; // welcomed
let pause = FIRST_PAUSE;
let timer = 0;
let epoch = '';
let limits = { name: 24, message: 1000, room: 32, rooms: 8, per_second: 5 };
let current = '';
let wanted = []; // rooms to be in, in their order
const rooms = new Map(); // by name: what is known of rooms we are in
const open = new Map(); // by name: how many people are in each open room
let outbox = [];
let spoken = []; // when the last messages were sent
let pumpTimer = 0;
let noticeTimer = 0;

// Helpers

function store(storage) { // which may be forbidden
  return {
    get(name) { try { return storage().getItem('chatroom.' + name) || ''; } catch { return ''; } },
    set(name, value) { try { storage().setItem('chatroom.' + name, value); } catch { /* then it is forgotten */ } },
  };
}

function random(length) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % 64]).join('');
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function icon(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'path')).setAttribute('d', path);
  return svg;
}

function hue(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return hash;
}

function paintAvatar(avatar, name) {
  avatar.textContent = [...name][0].toUpperCase();
  avatar.style.setProperty('--hue', hue(name));
  return avatar;
}

function people(count) { return count === 1 ? '1 person' : count + ' people'; }

function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function day(time) {
  return new Date(time).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
}

function roomInHash() {
  try { return decodeURIComponent(location.hash.slice(1)).trim(); } catch { return ''; }
}

function address(room) { return '#' + encodeURIComponent(room); }

// Connection

function connect() {
  clearTimeout(timer);
  if (!me.name || socket) return;
  showState('connecting', 'Connecting\u2026');
  const mine = new WebSocket(location.origin.replace(/^http/, 'ws') + location.pathname);
  socket = mine;
  mine.onopen = () => send({ type: 'hello', name: me.name, key: me.key });
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    const said = JSON.parse(event.data);
    (on[said.type] || (() => {}))(said);
  };
  mine.onclose = (event) => { if (mine === socket) closed(event.code); };
}

function send(command) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

function closed(code) {
  socket = null;
  opened = false;
  for (const message of outbox) message.sent = false;
  if (code === CLOSE_REPLACED) {
    showState('closed', 'Paused');
    hello('You are here in another window. Join again to go on in this one.');
    return;
  }
  showState('closed', navigator.onLine === false ? 'Offline' : 'Reconnecting\u2026');
  timer = setTimeout(connect, pause * (0.5 + Math.random() / 2));
  pause = Math.min(2 * pause, LONGEST_PAUSE);
}

function disconnect() {
  const old = socket;
  socket = null;
  opened = false;
  clearTimeout(timer);
  for (const message of outbox) message.sent = false;
  if (old) old.close(1000);
}

function connectNow() {
  if (document.visibilityState === 'visible' && !$('hello').open) {
    pause = FIRST_PAUSE;
    connect();
  }
}

function showState(state, text) {
  const status = $('status');
  status.dataset.state = state;
  if (status.textContent !== text) status.textContent = text;
  $('send').disabled = state !== 'open';
}

// What comes

const on = {
  welcome(event) {
    opened = true;
    pause = FIRST_PAUSE;
    me.name = event.name;
    session.set('name', me.name);
    local.set('name', me.name);
    limits = event.limits;
    epoch = event.epoch;
    open.clear();
    for (const { room, people: count } of event.rooms) open.set(room, count);
    $('text').maxLength = limits.message;
    $('name').maxLength = limits.name;
    $('room-input').maxLength = limits.room;
    $('hello').close();
    showState('open', 'Connected');
    showMe();
    for (const room of wanted) send({ type: 'join', room });
  },

  joined(event) {
    const fresh = !rooms.has(event.room);
    const room = rooms.get(event.room) || { name: event.room, items: [], people: new Set(), epoch, last: 0, unread: 0, leaving: new Map() };
    rooms.set(event.room, room);
    room.people = new Set(event.people);
    if (room.epoch !== epoch) {
      room.epoch = epoch;
      room.last = 0;
    }
    if (!fresh && event.messages.length && event.messages[0].id > room.last + 1) room.items.push({ line: 'Some messages are missing here.' });
    for (const message of event.messages) take(room, message, fresh);
    open.set(room.name, room.people.size);
    if (room.name === current) showRoom();
    showRooms();
    pump();
  },

  left(event) { forget(event.room); },

  said(event) {
    const room = rooms.get(event.room);
    if (room && take(room, event, false)) showRooms();
  },

  came(event) {
    const room = rooms.get(event.room);
    if (!room) return;
    room.people.add(event.name);
    if (room.leaving.has(event.name)) {
      clearTimeout(room.leaving.get(event.name));
      room.leaving.delete(event.name);
    } else {
      append(room, { line: event.name + ' is here' });
    }
    showPeople(room);
  },

  went(event) {
    const room = rooms.get(event.room);
    if (!room) return;
    room.people.delete(event.name);
    clearTimeout(room.leaving.get(event.name));
    room.leaving.set(event.name, setTimeout(() => {
      room.leaving.delete(event.name);
      append(room, { line: event.name + ' has left' });
    }, LEFT_AFTER));
    showPeople(room);
  },

  room(event) {
    if (event.people > 0) open.set(event.room, event.people);
    else open.delete(event.room);
    showRooms();
  },

  error(event) {
    const handler = errors[event.code] || (() => notice(event.text));
    handler(event);
  },
};

const errors = {
  name_taken: (event) => refusedName(event.text),
  bad_name: (event) => refusedName(event.text),
  too_fast(event) {
    const message = outbox.find(({ ref }) => ref === event.ref);
    notice(event.text);
    if (!message && wanted.includes(event.room) && !rooms.has(event.room)) {
      setTimeout(() => send({ type: 'join', room: event.room }), event.wait);
    }
    if (!message) return;
    message.sent = false;
    clearTimeout(pumpTimer);
    pumpTimer = setTimeout(pump, event.wait);
  },
  bad_text(event) { giveBack(event); },
  not_here(event) {
    if (rooms.has(event.room) || wanted.includes(event.room)) send({ type: 'join', room: event.room });
    const message = outbox.find(({ ref }) => ref === event.ref);
    if (message) message.sent = false;
  },
  too_many_rooms(event) { notJoined(event); },
  rooms_full(event) { notJoined(event); },
  room_full(event) { notJoined(event); },
  bad_room(event) { notJoined(event); },
};

function refusedName(text) {
  disconnect();
  showState('closed', '');
  hello(text);
}

// With no other room to go to, the page stays where it is.
function notJoined(event) {
  notice(event.text);
  if (wanted.length > 1 || (event.code === 'bad_room' && event.room !== FIRST_ROOM)) forget(event.room);
}

// What was refused goes back to where it was written.
function giveBack(event) {
  const message = outbox.find(({ ref }) => ref === event.ref);
  notice(event.text);
  if (!message) return;
  outbox = outbox.filter((other) => other !== message);
  if (!$('text').value) $('text').value = message.text;
  showRoom();
}
