// What is seen: messages, people, rooms, dialogs.

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
  $('hello-cancel').hidden = !opened;
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
