// The dashboard. Whatever comes from the server is set as text, never as markup.

const PERIOD = 2000;
const byId = (id) => document.getElementById(id);
const state = {key: sessionStorage.getItem('key') || '', before: new Map(), watched: new Map()};

function headers(more = {}) {
  return state.key ? {'X-API-Key': state.key, ...more} : more;
}

async function ask(path, options = {}) {
  const reply = await fetch(path, {...options, headers: headers(options.headers)});
  if (reply.status === 401) {
    byId('key-form').hidden = false;
  }
  if (!reply.ok) {
    const body = await reply.json().catch(() => ({}));
    const detail = typeof body.detail === 'string' ? body.detail : JSON.stringify(body.detail);
    throw new Error(detail || `status ${reply.status}`);
  }
  byId('key-form').hidden = true;
  return reply;
}

function node(tag, text, attributes = {}) {
  const found = document.createElement(tag);
  if (text !== undefined) {
    found.textContent = text;
  }
  for (const [name, value] of Object.entries(attributes)) {
    found.setAttribute(name, value);
  }
  return found;
}

function list(id, entries) {
  byId(id).replaceChildren(...entries.flatMap(
    ([name, value]) => [node('dt', name), node('dd', value)]));
}

const bytes = (size) => size === null || size === undefined ? '' : `${(size / 2 ** 20).toFixed(0)} MB`;
const milliseconds = (value) => value === null ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function duration(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

function show(status) {
  badge(status.stage);
  const model = status.model;
  list('model', model ? [
    ['name', model.id],
    ...(status.also_loaded.length ? [['also loaded', status.also_loaded.join(', ')]] : []),
    ['depth', model.kind], ['licence of the weights', model.licence],
    ['device', `${model.device}, ${model.precision}`],
    ...(status.device_memory ? [['device memory', `${bytes(status.device_memory.allocated)} of ${
      bytes(status.device_memory.reserved)} reserved`]] : []),
    ['up for', duration(status.uptime_s)], ['version', status.version]] : [
    ['up for', duration(status.uptime_s)], ['version', status.version]]);
  byId('warnings').replaceChildren(...(model ? model.warnings : []).map((text) => node('li', text)));
  const requests = status.requests;
  list('requests', requests ? [
    ['per second (last minute)', status.per_second.toFixed(2)], ['done', requests.done],
    ['under way', `${requests.under_way} of ${requests.queue_size}`],
    ['waiting for the device', requests.waiting.reduce((a, b) => a + b, 0)]] : []);
  list('drops', requests ? [
    ['refused, queue full', requests.refused], ['deadline over', requests.expired],
    ['cancelled by the client', requests.cancelled], ['failed', requests.failed],
    ['camera frames replaced by newer', sum(status.streams, 'dropped')],
    ['camera frames failed', sum(status.streams, 'failed')]] : []);
  bars(status.latency_ms);
  cameras(status.streams);
  byId('no-errors').hidden = status.last_errors.length > 0;
  byId('errors').replaceChildren(...status.last_errors.slice().reverse().map((error) => {
    const item = node('li', `${new Date(error.time * 1000).toLocaleTimeString()} ${error.text} `);
    item.append(node('code', error.code));
    return item;
  }));
  for (const page of status.pages) {
    if (!document.querySelector(`#pages a[href="${CSS.escape(page.path)}"]`)) {
      byId('pages').append(node('a', page.title, {href: page.path}));
    }
  }
}

const sum = (items, name) => items.reduce((total, item) => total + item[name], 0);

function bars(latency) {
  const most = Math.max(latency.p99 || 0, 1);
  byId('times').replaceChildren(...['p50', 'p95', 'p99'].flatMap((name) => [
    node('span', name),
    node('progress', undefined, {max: most, value: latency[name] || 0, 'aria-label': name}),
    node('span', milliseconds(latency[name]))]),
  node('span', ''), node('span', `${latency.count} requests`, {class: 'quiet'}), node('span', ''));
}

function cameras(streams) {
  const now = performance.now();
  byId('no-cameras').hidden = streams.length > 0;
  const names = new Set(streams.map((stream) => stream.name));
  for (const article of [...byId('cameras').children]) {
    if (!names.has(article.dataset.name)) {
      article.remove();
    }
  }
  for (const stream of streams) {
    let article = [...byId('cameras').children].find((item) => item.dataset.name === stream.name);
    if (!article) {
      article = camera(stream.name);
      byId('cameras').append(article);
    }
    const before = state.before.get(stream.name);
    const rate = before ? (stream.done - before.done) / ((now - before.time) / 1000) : 0;
    state.before.set(stream.name, {done: stream.done, time: now});
    article.querySelector('p').textContent =
      `${Math.max(0, rate).toFixed(1)} per second, ${stream.done} done, ${stream.dropped} replaced, `
      + `${stream.failed} failed`;
  }
}

function camera(name) {
  const article = node('article');
  article.dataset.name = name;
  const button = node('button', 'Watch', {type: 'button', 'aria-pressed': 'false'});
  const picture = node('img', undefined, {alt: `depth preview of ${name}`});
  picture.hidden = true;
  article.append(node('h3', name), node('p', '', {class: 'quiet'}), button, picture);
  button.addEventListener('click', () => {
    const on = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(on));
    button.textContent = on ? 'Stop' : 'Watch';
    picture.hidden = !on;
    state.watched.set(name, on);
    if (on) {
      follow(name, picture);
    }
  });
  return article;
}

async function follow(name, picture) {
  // One picture after the other, always the newest; a hidden page asks for nothing.
  const path = `v1/stream/${name.split('/').map(encodeURIComponent).join('/')}?frames=1&format=jpeg`;
  while (state.watched.get(name) && picture.isConnected) {
    if (document.hidden) {
      await pause(500);
      continue;
    }
    try {
      const blob = await (await ask(path, {headers: {'X-Deadline-Ms': '5000'}})).blob();
      const old = picture.src;
      picture.src = URL.createObjectURL(blob);
      if (old) {
        URL.revokeObjectURL(old);
      }
    } catch {
      await pause(1000);
    }
  }
}

const pause = (time) => new Promise((done) => setTimeout(done, time));

function badge(stage) {
  byId('stage').textContent = stage;
  byId('stage').className = `badge ${stage}`;
}

async function refresh() {
  try {
    show(await (await ask('v1/status')).json());
  } catch (error) {
    if (byId('key-form').hidden) {
      badge('unreachable');
    }
  }
}

// A picture of the user.

const shown = {file: null, depth: null, width: 0, height: 0, units: '', x: 0, y: 0, colours: null};

function query(format) {
  const found = new URLSearchParams({format});
  const intrinsics = byId('camera').value.replace(/\s/g, '');
  if (intrinsics) {
    found.set('camera_intrinsics', intrinsics);
  } else if (byId('fov').value) {
    found.set('fov_deg', byId('fov').value);
  }
  return found;
}

function send(path, format) {
  return ask(`${path}?${query(format)}`, {
    method: 'POST', body: shown.file,
    headers: {'Content-Type': 'application/octet-stream', 'Accept': '*/*'}});
}

function say(text, bad = false) {
  byId('message').textContent = text;
  byId('message').classList.toggle('bad', bad);
}

async function estimate(file) {
  shown.file = file;
  byId('result').hidden = true;
  say(`Asking for the depth of ${file.name || 'the picture'} …`);
  try {
    const reply = await send('v1/depth', 'raw');
    const about = JSON.parse(reply.headers.get('X-Depth-Result'));
    shown.depth = new Float32Array(await reply.arrayBuffer());
    [shown.height, shown.width] = about.shape;
    shown.units = about.units === 'm' ? ' m' : ' (no unit)';
    draw();
    const photo = byId('photo');
    URL.revokeObjectURL(photo.src);
    photo.src = URL.createObjectURL(file);
    const total = Object.values(about.timings).reduce((a, b) => a + b, 0);
    byId('about').textContent = `${about.model}; ${about.scale_law.text}; ${
      milliseconds(total * 1000)} in the server. ${about.notes.join('. ')}`;
    byId('result').hidden = false;
    say('');
  } catch (error) {
    say(error.message, true);
  }
}

// Near is warm, far is cold, as in the previews of the cameras; invalid is transparent.
const STOPS = [
  [122, 4, 3], [210, 49, 5], [251, 129, 34], [236, 209, 58],
  [164, 252, 60], [50, 242, 152], [40, 188, 235], [70, 107, 227], [48, 18, 59]];

function draw() {
  const {depth, width, height} = shown;
  const valid = depth.filter((value) => Number.isFinite(value) && value > 0).sort();
  const nearest = valid[Math.floor(valid.length * 0.02)] || 1;
  const farthest = valid[Math.floor(valid.length * 0.98)] || 1;
  byId('nearest').textContent = `${nearest.toFixed(2)}${shown.units}`;
  byId('farthest').textContent = `${farthest.toFixed(2)}${shown.units}`;
  const near = 1 / nearest;
  const far = 1 / farthest;
  const image = new ImageData(width, height);
  for (let index = 0; index < depth.length; index += 1) {
    const value = depth[index];
    if (!Number.isFinite(value) || value <= 0) {
      continue;
    }
    const share = Math.min(1, Math.max(0, (near - 1 / value) / ((near - far) || 1)));
    const place = share * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(place));
    for (let channel = 0; channel < 3; channel += 1) {
      image.data[4 * index + channel] = STOPS[low][channel]
        + (STOPS[low + 1][channel] - STOPS[low][channel]) * (place - low);
    }
    image.data[4 * index + 3] = 255;
  }
  shown.colours = image;
  const canvas = byId('depth');
  canvas.width = width;
  canvas.height = height;
  shown.x = Math.floor(width / 2);
  shown.y = Math.floor(height / 2);
  read();
}

function read() {
  const canvas = byId('depth');
  const pen = canvas.getContext('2d');
  pen.putImageData(shown.colours, 0, 0);
  const size = Math.max(3, shown.width / 80);
  pen.strokeStyle = '#fff';
  pen.lineWidth = Math.max(1, shown.width / 400);
  pen.strokeRect(shown.x - size, shown.y - size, 2 * size, 2 * size);
  const value = shown.depth[shown.y * shown.width + shown.x];
  const text = Number.isFinite(value) ? `${value.toFixed(3)}${shown.units}` : 'no depth';
  byId('reading').textContent = `x ${shown.x}, y ${shown.y}: ${text}`;
}

function point(event) {
  const box = byId('depth').getBoundingClientRect();
  const limit = (value, most) => Math.min(most - 1, Math.max(0, Math.floor(value)));
  shown.x = limit((event.clientX - box.left) / box.width * shown.width, shown.width);
  shown.y = limit((event.clientY - box.top) / box.height * shown.height, shown.height);
  read();
}

byId('depth').addEventListener('pointermove', point);
byId('depth').addEventListener('pointerdown', point);
byId('depth').addEventListener('keydown', (event) => {
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  const move = moves[event.key];
  if (!move) {
    return;
  }
  event.preventDefault();
  const step = event.shiftKey ? 10 : 1;
  shown.x = Math.min(shown.width - 1, Math.max(0, shown.x + move[0] * step));
  shown.y = Math.min(shown.height - 1, Math.max(0, shown.y + move[1] * step));
  read();
});

byId('file').addEventListener('change', (event) => {
  if (event.target.files[0]) {
    estimate(event.target.files[0]);
  }
});
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    byId('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files[0]) {
      estimate(event.dataTransfer.files[0]);
    }
  });
}
document.addEventListener('paste', (event) => {
  const file = [...event.clipboardData.files].find((item) => item.type.startsWith('image/'));
  if (file) {
    estimate(file);
  }
});
for (const button of document.querySelectorAll('button[data-format]')) {
  button.addEventListener('click', async () => {
    try {
      const blob = await (await send(button.dataset.path, button.dataset.format)).blob();
      const link = node('a', '', {href: URL.createObjectURL(blob), download: `depth.${
        button.dataset.format}`});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      say(`depth.${button.dataset.format}: ${blob.size} bytes`);
    } catch (error) {
      say(error.message, true);
    }
  });
}
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  state.key = byId('key').value;
  sessionStorage.setItem('key', state.key);
  refresh();
});

refresh();
setInterval(() => document.hidden || refresh(), PERIOD);
