// The page of the chatroom. One WebSocket at the path of the page; what is said in all rooms that this window is in comes over it.
// All text from elsewhere goes through textContent.
//
// A message that is sent is shown at once, as pending, and stays in the outbox until it comes back with its ref: so nothing is lost
// when the connection breaks, and nothing is said twice.
'use strict';

(() => {
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

  function notJoined(event) {
    notice(event.text);
    forget(event.room);
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

  // Rooms

  // False: it is known already. What comes with the history is not unread.
  function take(room, message, old) {
    if (message.id <= room.last) return false;
    room.last = message.id;
    const mine = message.ref && outbox.find(({ ref }) => ref === message.ref);
    if (mine) {
      outbox = outbox.filter((other) => other !== mine);
      document.querySelector(`[data-ref="${CSS.escape(message.ref)}"]`)?.remove();
    }
    const own = Boolean(message.ref && message.ref.startsWith(me.refs)) || message.name === me.name;
    const unseen = !old && !own && (room.name !== current || document.hidden);
    if (unseen) {
      if (room.unread === 0) append(room, { line: 'New', rule: true, fresh: true });
      room.unread++;
    }
    append(room, { ...message, own });
    return true;
  }

  function append(room, item) {
    const before = room.items[room.items.length - 1];
    room.items.push(item);
    if (room.items.length > SHOWN_MOST) room.items.shift();
    if (room.name !== current) return;
    const stick = atEnd();
    for (const made of render(item, before)) $('log').insertBefore(made, $('log').querySelector('.pending'));
    while ($('log').children.length > 2 * SHOWN_MOST) $('log').firstChild.remove();
    $('nothing').hidden = true;
    if (stick || item.own) toEnd();
    else $('newest').hidden = false;
  }

  function render(item, before) {
    const made = [];
    if (item.line) {
      const line = element('li', 'line' + (item.rule ? ' rule' : '') + (item.fresh ? ' new' : ''));
      line.append(element('bdi', '', item.line));
      return [line];
    }
    const last = before && !before.line ? before : null;
    if (!last || day(last.time) !== day(item.time)) {
      if (before === undefined || last || day(item.time) !== day(Date.now())) made.push(element('li', 'line rule', day(item.time)));
    }
    const follows = made.length === 0 && last && last.name === item.name && item.time - last.time < GROUP_WITHIN;
    if (follows && last.made) last.made.classList.add('followed');
    item.made = bubble(item, follows);
    made.push(item.made);
    return made;
  }

  function bubble(item, follows) {
    const message = element('li', 'message' + (item.own ? ' mine' : '') + (follows ? ' follows' : ''));
    message.style.setProperty('--hue', hue(item.name));
    const box = element('div', 'bubble');
    const who = element('div', 'who');
    who.append(element('bdi', '', item.name));
    const words = element('div', 'words');
    const time = element('time', '', clock(item.time));
    time.dateTime = new Date(item.time).toISOString();
    words.append(element('span', '', item.text), time);
    words.firstChild.dir = 'auto';
    box.append(who, words);
    const avatar = paintAvatar(element('span', 'avatar'), item.name);
    avatar.setAttribute('aria-hidden', 'true');
    if (!item.own) message.append(avatar);
    message.append(box);
    return message;
  }

  function renderPending(message) {
    const made = bubble({ ...message, name: me.name, own: true }, false);
    made.classList.add('pending');
    made.dataset.ref = message.ref;
    $('log').append(made);
  }

  function showRoom() {
    const room = rooms.get(current);
    const log = $('log');
    log.setAttribute('aria-busy', 'true');
    log.replaceChildren();
    $('room-name').textContent = current;
    $('text').placeholder = 'Say something in ' + current;
    let before;
    for (const item of room ? room.items : []) {
      log.append(...render(item, before));
      before = item;
    }
    for (const message of outbox) if (message.room === current) renderPending(message);
    $('nothing').hidden = !room || log.children.length > 0;
    log.removeAttribute('aria-busy');
    $('newest').hidden = true;
    showPeople(room);
    toEnd();
    read();
  }

  // What is unread stays marked with a line until the next time.
  function read() {
    const room = rooms.get(current);
    if (room && !document.hidden) room.unread = 0;
    showRooms();
  }

  function showPeople(room) {
    if (!room || room.name !== current) {
      if (!room) {
        $('people').replaceChildren();
        $('people-section').hidden = true;
        $('room-count').textContent = '';
      }
      return;
    }
    $('people-section').hidden = false;
    $('room-count').textContent = people(room.people.size);
    const names = [...room.people].sort((a, b) => a.localeCompare(b));
    $('people').replaceChildren(...names.map((name) => {
      const person = element('li');
      const avatar = paintAvatar(element('span', 'avatar'), name);
      avatar.setAttribute('aria-hidden', 'true');
      person.append(avatar, element('bdi', '', name));
      if (name === me.name) person.append(element('span', 'count', 'you'));
      return person;
    }));
  }

  function roomLink(name, count, unread) {
    const link = element('a');
    link.href = address(name);
    if (name === current) link.setAttribute('aria-current', 'page');
    link.append(element('bdi', '', name));
    if (unread) {
      const badge = element('span', 'badge', unread > 99 ? '99+' : String(unread));
      badge.append(element('span', 'hidden', ' unread'));
      link.append(badge);
    } else if (count) {
      const number = element('span', 'count', String(count));
      number.append(element('span', 'hidden', count === 1 ? ' person' : ' people'));
      link.append(number);
    }
    return link;
  }

  function showRooms() {
    let unread = 0;
    let elsewhere = 0;
    const focused = document.activeElement && document.activeElement.getAttribute('href');
    $('rooms').replaceChildren(...wanted.map((name) => {
      const room = rooms.get(name);
      const item = element('li', name === current ? 'current' : '');
      unread += room ? room.unread : 0;
      elsewhere += room && name !== current ? room.unread : 0;
      item.append(roomLink(name, open.get(name), room ? room.unread : 0));
      if (wanted.length > 1) {
        const leave = element('button', 'leave');
        leave.type = 'button';
        leave.setAttribute('aria-label', 'Leave ' + name);
        leave.append(icon('M6 6l12 12M18 6L6 18'));
        leave.onclick = () => leaveRoom(name);
        item.append(leave);
      }
      return item;
    }));
    const others = [...open].filter(([name]) => !wanted.includes(name)).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    $('others-section').hidden = others.length === 0;
    $('others').replaceChildren(...others.map(([name, count]) => {
      const item = element('li');
      item.append(roomLink(name, count, 0));
      return item;
    }));
    if (focused) document.querySelector(`.list a[href="${CSS.escape(focused)}"]`)?.focus();
    $('side-unread').hidden = elsewhere === 0;
    document.title = (unread ? `(${unread}) ` : '') + (current ? current + ' \u00b7 ' : '') + title;
  }

  function goTo(name) {
    closeSide();
    if (!name) name = wanted[0] || FIRST_ROOM;
    if (address(name) !== location.hash) history.replaceState(null, '', address(name));
    current = name;
    if (!wanted.includes(name)) {
      wanted.push(name);
      remember();
      if (opened) send({ type: 'join', room: name });
    }
    showRoom();
  }

  function leaveRoom(name) {
    send({ type: 'leave', room: name });
    forget(name);
  }

  function forget(name) {
    if (!wanted.includes(name)) return;
    wanted = wanted.filter((other) => other !== name);
    rooms.delete(name);
    outbox = outbox.filter(({ room }) => room !== name);
    remember();
    if (name === current) goTo(wanted[wanted.length - 1]);
    else showRooms();
  }

  function remember() { session.set('rooms', JSON.stringify(wanted)); }

  // Talking

  function say(text) {
    const message = { ref: me.refs + (++me.sent).toString(36), room: current, text, time: Date.now(), sent: false };
    outbox.push(message);
    $('nothing').hidden = true;
    renderPending(message);
    toEnd();
    pump();
  }

  // Sends what waits, no faster than it will be taken.
  function pump() {
    clearTimeout(pumpTimer);
    if (!opened) return;
    for (const message of outbox) {
      if (message.sent || !rooms.has(message.room)) continue;
      const now = performance.now();
      spoken = spoken.filter((time) => now - time < 1000);
      if (spoken.length >= limits.per_second) {
        pumpTimer = setTimeout(pump, 1000 - (now - spoken[0]) + 20);
        return;
      }
      spoken.push(now);
      message.sent = true;
      send({ type: 'say', room: message.room, text: message.text, ref: message.ref });
    }
  }

  // What is seen

  function atEnd() {
    const scroll = $('scroll');
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  }

  function toEnd() {
    $('scroll').scrollTop = $('scroll').scrollHeight;
    $('newest').hidden = true;
  }

  function grow() {
    const text = $('text');
    const stick = atEnd();
    text.style.height = 'auto';
    text.style.height = text.scrollHeight + 2 + 'px';
    if (stick) toEnd();
  }

  function notice(text) {
    clearTimeout(noticeTimer);
    $('notice').textContent = text;
    $('notice').hidden = false;
    noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 6000);
  }

  function hello(error) {
    $('hello-error').textContent = error;
    $('name').value = me.name || local.get('name');
    if (!$('hello').open) $('hello').showModal();
    $('name').select();
  }

  function showMe() {
    $('me').hidden = !me.name;
    $('me-name').textContent = me.name;
    if (me.name) paintAvatar($('me-avatar'), me.name);
  }

  function openSide() {
    $('side').classList.add('open');
    $('shade').hidden = false;
    $('side-open').setAttribute('aria-expanded', 'true');
    $('side-close').focus();
  }

  function closeSide() {
    if (!$('side').classList.contains('open')) return;
    $('side').classList.remove('open');
    $('shade').hidden = true;
    $('side-open').setAttribute('aria-expanded', 'false');
    $('side-open').focus();
  }

  // What is done on the page

  $('composer').onsubmit = (event) => {
    event.preventDefault();
    const text = $('text').value.trim();
    if (!text || $('send').disabled) return;
    $('text').value = '';
    grow();
    say(text);
    $('text').focus();
  };
  $('text').oninput = grow;
  $('text').onkeydown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $('composer').requestSubmit();
  };
  $('hello-form').onsubmit = (event) => {
    event.preventDefault();
    const name = $('name').value.trim().replace(/\s+/g, ' ');
    if (!name) return;
    $('hello-error').textContent = '';
    if (socket) disconnect();
    me.name = name;
    pause = FIRST_PAUSE;
    connect();
  };
  // Without a name there is nothing behind the dialog.
  $('hello').oncancel = (event) => { if (!opened) event.preventDefault(); };
  $('rename').onclick = () => hello('');
  $('room-form').onsubmit = (event) => {
    event.preventDefault();
    const name = $('room-input').value.trim().replace(/\s+/g, ' ');
    if (!name) return;
    $('room-input').value = '';
    goTo(name);
    $('text').focus();
  };
  $('side-open').onclick = openSide;
  $('side-close').onclick = closeSide;
  $('shade').onclick = closeSide;
  $('newest').onclick = toEnd;
  $('scroll').onscroll = () => { if (atEnd()) $('newest').hidden = true; };
  addEventListener('keydown', (event) => { if (event.key === 'Escape') closeSide(); });
  addEventListener('hashchange', () => goTo(roomInHash()));
  addEventListener('online', connectNow);
  addEventListener('resize', () => { if (atEnd()) toEnd(); });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    read();
    connectNow();
  });

  // Start

  try { wanted = JSON.parse(session.get('rooms')).filter((name) => typeof name === 'string'); } catch { wanted = []; }
  $('title').textContent = title;
  $('hello-title').textContent = title;
  goTo(roomInHash());
  showMe();
  if (me.name) connect();
  else hello('');
})();
