// The page: pictures in, progress, a model to look at.
import { Session } from './session.js';
import { addPictureSources } from './sources.js';
import { Viewer } from './viewer.js';

const part = (id) => document.getElementById(id);
const base = new URL('.', location.href).href;

const session = new Session(base);
let viewer = null;
try {
  viewer = new Viewer(part('view'));
} catch {
  trouble('This browser has no WebGL: the model cannot be shown here, but it can be saved.');
}
let taken = 0;
let busy = false;
let model = null;

function trouble(text) {
  part('error').textContent = text;
  part('error').hidden = !text;
}

function stage(text, share) {
  part('stage').textContent = text;
  if (share !== undefined) part('progress').value = share;
}

function update() {
  const connected = session.socket?.readyState === WebSocket.OPEN;
  part('count').textContent = taken ? `(${taken})` : '';
  part('generate').disabled = part('finalize').disabled = !connected || busy || !taken;
  part('cancel').disabled = !connected || !busy;
  part('save-glb').disabled = !model;
  part('save-ply').disabled = !model || !viewer;
}

// What the server says, in words for somebody who does not know its messages.
function human(error) {
  const text = (error.message ?? String(error)).replace(/^Failed to [a-z ]+: /, '');
  if (error.code === 'cancelled') return 'Cancelled.';
  if (text.startsWith('Invalid image data')) return 'This is no picture that can be read: JPEG, PNG and WebP are.';
  const most = text.match(/maximum image limit \((\d+)\)/);
  if (most) return `A session takes ${most[1]} pictures; this one has them.`;
  if (text === 'Failed to fetch') return 'The server cannot be reached.';
  return text;
}

async function opened() {
  if (session.id) return;
  stage('Beginning a session...');
  await session.create();
  history.replaceState(null, '', `?session=${session.id}`);
}

function thumbnail(file) {
  const item = document.createElement('li');
  const picture = document.createElement('img');
  picture.alt = '';
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  const name = document.createElement('span');
  name.className = 'name';
  name.textContent = file.name;
  const mark = document.createElement('span');
  mark.textContent = 'waiting';
  item.append(picture, name, mark);
  part('thumbnails').append(item);
  return (kind, text) => {
    mark.className = kind;
    mark.textContent = text;
  };
}

let line = Promise.resolve();

function add(files) {
  for (const file of files) {
    const mark = thumbnail(file);
    line = line.then(async () => {
      trouble('');
      try {
        await opened();
        mark('', 'sending');
        const answer = await session.image(file);
        taken = answer.image_count;
        mark('taken', '✓ taken');
        stage(`${taken} picture${taken === 1 ? '' : 's'}.`);
        update();
        if (part('live').checked) await make({ incremental: true });
      } catch (error) {
        mark('refused', `✗ ${human(error)}`);
        if (!session.id) trouble(human(error));
      }
      update();
    });
  }
}

async function make(how) {
  busy = true;
  trouble('');
  stage('Waiting for the server...', 0);
  update();
  try {
    model = await session.generate(how);
    stage('Drawing...', 1);
    if (viewer) await viewer.show(model.glb, model.metadata);
    facts(model.metadata);
    stage(`A model of ${model.metadata.num_frames} picture${model.metadata.num_frames === 1 ? '' : 's'}.`, 1);
    document.body.dataset.models = Number(document.body.dataset.models ?? 0) + 1;
  } catch (error) {
    stage(human(error), 0);
    if (error.code !== 'cancelled') trouble(human(error));
  } finally {
    busy = false;
    update();
  }
}

function facts(metadata) {
  const metres = metadata.unit === 'm';
  const rows = [
    ['Points', `${metadata.num_points.toLocaleString()} of ${metadata.total_points.toLocaleString()}`],
    ['Unit', metres ? 'metres' : 'none: the scale is unknown'],
    ['Model', metadata.model],
  ];
  if (metadata.depth_min !== null) {
    const unit = metres ? ' m' : '';
    rows.splice(2, 0, ['Depth', `${metadata.depth_min.toFixed(2)} to ${metadata.depth_max.toFixed(2)}${unit}`]);
  }
  part('facts').replaceChildren(...rows.flatMap(([name, value]) => {
    const term = document.createElement('dt');
    const text = document.createElement('dd');
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
  part('notes').replaceChildren(...metadata.notes.map((note) => {
    const item = document.createElement('li');
    item.textContent = note;
    return item;
  }));
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

session.addEventListener('connected', ({ detail }) => {
  part('state').textContent = 'connected';
  taken = detail.image_count;
  if (taken && !part('thumbnails').children.length) stage(`The session has ${taken} pictures from before.`);
  update();
});
session.addEventListener('lost', () => {
  part('state').textContent = 'connection lost, trying again';
  update();
});
session.addEventListener('expired', () => {
  session.id = null;
  history.replaceState(null, '', location.pathname);
  part('state').textContent = 'ready';
  taken = 0;
  part('thumbnails').replaceChildren();
  trouble('This session is not there any more: it was deleted, or not used for long. New pictures begin a new one.');
  update();
});
session.addEventListener('key', () => {
  part('key-form').hidden = false;
  part('key').focus();
});
session.addEventListener('progress', ({ detail }) => stage(detail.message, detail.progress));
session.addEventListener('problem', ({ detail }) => trouble(human(detail)));

part('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  session.useKey(part('key').value);
  part('key').value = '';
  part('key-form').hidden = true;
  trouble('');
  if (session.id) session.connect().catch((error) => trouble(human(error)));
});
part('generate').addEventListener('click', () => make({}));
part('finalize').addEventListener('click', () => make({ final: true }));
part('cancel').addEventListener('click', () => {
  session.cancel();
  stage('Stopping before the next stage...');
});
part('new-session').addEventListener('click', () => {
  session.close();
  history.replaceState(null, '', location.pathname);
  taken = 0;
  part('thumbnails').replaceChildren();
  part('state').textContent = 'ready';
  stage('No image yet.', 0);
  trouble('');
  update();
});
part('save-glb').addEventListener('click', () => save(model.glb, 'model.glb'));
part('save-ply').addEventListener('click', () => save(viewer.ply(), 'model.ply'));

if (viewer) {
  part('size').addEventListener('input', ({ target }) => viewer.pointSize(Number(target.value)));
  part('frustums').addEventListener('change', ({ target }) => viewer.frustums(target.checked));
  part('reset').addEventListener('click', () => viewer.whole());
  part('colour').addEventListener('change', ({ target }) => {
    if (!viewer.colour(target.value)) {
      target.value = 'rgb';
      viewer.colour('rgb');
      stage('This model has no confidence.');
    }
  });
  part('measure').addEventListener('click', ({ target }) => {
    const on = target.getAttribute('aria-pressed') !== 'true';
    target.setAttribute('aria-pressed', String(on));
    viewer.measure(on);
    part('distance').textContent = on ? 'Click two points of the model.' : '';
  });
  viewer.addEventListener('measured', ({ detail }) => {
    if (!detail) return;
    const unit = viewer.metadata.unit === 'm' ? 'm' : '(the scale is unknown)';
    part('distance').textContent = detail.count === 1
      ? 'One point; click the other.' : `${detail.distance.toFixed(3)} ${unit}`;
  });
}

addPictureSources(part, add, trouble);
window.reconstruction = { session, viewer };

const known = new URLSearchParams(location.search).get('session');
if (known) {
  session.id = known;
  session.connect().catch(() => {});
}
update();
