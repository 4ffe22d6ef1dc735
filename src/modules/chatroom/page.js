// What is done on the page, and how it begins.

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
$('hello-cancel').onclick = () => $('hello').close();
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
