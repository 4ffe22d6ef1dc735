// Rooms and what is said in them: which we are in, what is new, what waits to be sent.

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
