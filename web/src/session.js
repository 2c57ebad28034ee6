// One session on the server and its socket, which is opened again when it is lost.

const PATIENCE = [500, 1000, 2000, 4000, 8000];

export class Session extends EventTarget {
  constructor(base) {
    super();
    this.base = base;
    this.id = null;
    this.key = sessionStorage.getItem('api_key') ?? '';
    this.socket = null;
    this.queue = Promise.resolve();
    this.waiting = [];
    this.parts = [];
    this.tries = 0;
    this.closed = false;
  }

  say(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  useKey(key) {
    this.key = key;
    sessionStorage.setItem('api_key', key);
  }

  async request(path, method = 'GET') {
    const headers = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    const reply = await fetch(this.base + path, { method, headers });
    const body = await reply.json().catch(() => ({}));
    return { status: reply.status, body };
  }

  async create() {
    const { status, body } = await this.request('ws/session/create', 'POST');
    if (status === 401) {
      this.say('key');
      throw new Error('The server needs its key.');
    }
    if (status !== 200) {
      throw new Error(body.detail?.toString() || `The server said ${status}.`);
    }
    this.id = body.session_id;
    this.closed = false;
    await this.connect();
    return this.id;
  }

  // Resolves when the server has greeted us.
  connect() {
    const url = new URL(this.base + `ws/reconstruct/${encodeURIComponent(this.id)}`);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.key) url.searchParams.set('api_key', this.key);
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      let greeted = false;
      socket.onmessage = (event) => {
        if (socket !== this.socket) return;
        const message = event.data instanceof ArrayBuffer ? null : JSON.parse(event.data);
        if (!greeted && message?.type === 'error') {
          this.closed = true;
          this.say('expired');
          reject(new Error('This session is not there any more.'));
          return;
        }
        if (message?.type === 'connected') {
          greeted = true;
          this.tries = 0;
          this.say('connected', message);
          resolve();
          return;
        }
        this.hear(message, event.data);
      };
      socket.onclose = (event) => {
        if (socket !== this.socket || this.closed) return;
        if (event.code === 4401) {
          this.say('key');
          reject(new Error('The server needs its key.'));
          return;
        }
        this.lost();
        if (!greeted) reject(new Error('The server cannot be reached.'));
      };
      this.socket = socket;
    });
  }

  lost() {
    for (const answer of this.waiting.splice(0)) answer.reject(new Error('The connection was lost.'));
    this.parts = [];
    const pause = PATIENCE[Math.min(this.tries++, PATIENCE.length - 1)];
    this.say('lost', { pause });
    setTimeout(() => {
      if (!this.closed) this.connect().catch(() => {});
    }, pause);
  }

  hear(message, data) {
    if (message === null) {
      this.model.parts.push(data);
      if (this.model.parts.length === this.model.message.glb_binary) this.finished();
    } else if (message.type === 'progress') {
      this.say('progress', message);
    } else if (message.type === 'delta' || message.type === 'complete') {
      this.model = { message, parts: [] };
      if (!message.glb_binary) this.finished();
    } else if (message.type === 'ack') {
      this.waiting.shift()?.resolve(message);
    } else if (message.type === 'error') {
      const text = message.message;
      const about = this.waiting[0];
      if (about && (about.kind === 'image') === text.startsWith('Failed to process image')) {
        this.waiting.shift().reject(Object.assign(new Error(text), { code: message.code }));
      } else {
        this.say('problem', message);
      }
    }
  }

  finished() {
    const { message, parts } = this.model;
    const glb = new Blob(parts, { type: 'model/gltf-binary' });
    this.waiting.shift()?.resolve({ kind: message.type, metadata: message.metadata, glb });
  }

  ask(kind, send) {
    return new Promise((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new Error('The connection was lost.'));
        return;
      }
      this.waiting.push({ kind, resolve, reject });
      send(this.socket);
    });
  }

  // The server answers in order, so nothing here waits for the answer before.
  image(blob) {
    return blob.arrayBuffer().then((data) => this.ask('image', (socket) => socket.send(data)));
  }

  generate({ incremental = false, final = false } = {}) {
    const message = { type: final ? 'finalize' : 'generate', binary: true, chunked: true, confidence: true };
    if (!final) message.incremental = incremental;
    return this.ask('model', (socket) => socket.send(JSON.stringify(message)));
  }

  cancel() {
    this.socket?.send(JSON.stringify({ type: 'cancel' }));
  }

  close() {
    this.closed = true;
    for (const answer of this.waiting.splice(0)) answer.reject(new Error('The session was left.'));
    this.socket?.close();
    const id = this.id;
    this.id = this.socket = null;
    if (id) this.request(`ws/session/${encodeURIComponent(id)}`, 'DELETE').catch(() => {});
  }
}
