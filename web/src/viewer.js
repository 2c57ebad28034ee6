// The model in 3D: orbit, colours, cameras, and the distance between two points.
import {
  BufferAttribute, BufferGeometry, Color, Group, Line, LineBasicMaterial, Matrix4, PerspectiveCamera,
  Points, PointsMaterial, Scene, Vector3, WebGLRenderer, Box3, Sphere,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';

// A short walk through dark blue, green and yellow, as depth previews have it.
const RAMP = ['#30123b', '#4777ef', '#1bd0d5', '#62fc6b', '#d2e935', '#fe9b2d', '#db3a07']
  .map((text) => new Color(text));

// Pixels around the pointer in which a point is found.
const REACH = 14;

export class Viewer extends EventTarget {
  constructor(place) {
    super();
    this.place = place;
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    place.append(this.renderer.domElement);
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(60, 1, 0.01, 1000);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.listenToKeyEvents(place);
    this.controls.addEventListener('change', () => this.draw());
    place.addEventListener('keydown', (event) => this.key(event));
    this.renderer.domElement.addEventListener('click', (event) => this.pick(event));
    this.material = new PointsMaterial({ size: 2, sizeAttenuation: false, vertexColors: true });
    this.model = null;
    this.picked = [];
    this.measuring = false;
    this.colouring = 'rgb';
    new ResizeObserver(() => this.resize()).observe(place);
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (!width || !height) return;
    this.renderer.setSize(width, height);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.renderer.render(this.scene, this.camera);
    });
  }

  // The model takes the place of the one before; only the first one moves the eye.
  async show(glb, metadata) {
    const gltf = await new GLTFLoader().parseAsync(await glb.arrayBuffer(), '');
    const old = this.model;
    const align = gltf.scene.userData.hf_alignment;
    const model = new Group();
    model.add(gltf.scene);
    // The file's origin is the middle of its points; ours is the first camera, which stays.
    if (align) model.position.set(-align[0][3], -align[1][3], -align[2][3]);
    gltf.scene.traverse((item) => {
      if (item.isPoints) {
        item.material = this.material;
        item.geometry.userData.rgb = item.geometry.getAttribute('color');
        this.points = item;
      } else if (item.isLine) {
        item.name = 'camera';
      }
    });
    this.model = model;
    this.metadata = metadata;
    this.scene.add(model);
    model.updateMatrixWorld(true);
    this.clearMeasure();
    this.colour(this.colouring);
    this.frustums(this.showing ?? true);
    if (old) {
      this.scene.remove(old);
      old.traverse((item) => item.geometry?.dispose());
    } else {
      this.whole();
    }
    this.draw();
  }

  whole() {
    if (!this.model) return;
    const ball = new Box3().setFromObject(this.points).getBoundingSphere(new Sphere());
    const radius = ball.radius || 1;
    this.controls.target.copy(ball.center);
    this.camera.position.copy(ball.center).add(new Vector3(0.35, 0.3, 1).setLength(radius * 1.9));
    this.camera.near = radius / 1000;
    this.camera.far = radius * 20;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  pointSize(size) {
    this.material.size = size;
    this.draw();
  }

  frustums(shown) {
    this.showing = shown;
    this.model?.traverse((item) => {
      if (item.name === 'camera') item.visible = shown;
    });
    this.draw();
  }

  // Returns whether the model can be coloured so.
  colour(kind) {
    this.colouring = kind;
    if (!this.points) return true;
    const { geometry } = this.points;
    let values = null;
    if (kind === 'depth') values = this.depths();
    if (kind === 'confidence') values = geometry.getAttribute('_confidence')?.array ?? null;
    if (kind !== 'rgb' && values === null) return false;
    geometry.setAttribute('color', values ? ramp(values) : geometry.userData.rgb);
    this.draw();
    return true;
  }

  // Along the view of the first camera, which looks along -z from the origin.
  depths() {
    const position = this.points.geometry.getAttribute('position');
    const matrix = new Matrix4().copy(this.points.matrixWorld);
    const depths = new Float32Array(position.count);
    const point = new Vector3();
    for (let index = 0; index < position.count; index++) {
      depths[index] = -point.fromBufferAttribute(position, index).applyMatrix4(matrix).z;
    }
    return depths;
  }

  measure(on) {
    this.measuring = on;
    if (!on) this.clearMeasure();
  }

  clearMeasure() {
    this.picked = [];
    if (this.line) this.scene.remove(this.line);
    this.line = null;
    this.dispatchEvent(new CustomEvent('measured', { detail: null }));
    this.draw();
  }

  pick(event) {
    if (!this.measuring || !this.points) return;
    const box = this.renderer.domElement.getBoundingClientRect();
    const hit = this.nearest(event.clientX - box.left, event.clientY - box.top, box);
    if (!hit) return;
    if (this.picked.length === 2) this.clearMeasure();
    this.picked.push(hit);
    if (this.line) this.scene.remove(this.line);
    const ends = this.picked.length === 2 ? this.picked : [hit, hit];
    this.line = new Line(
      new BufferGeometry().setFromPoints(ends), new LineBasicMaterial({ color: 0xff2d78 }));
    this.scene.add(this.line);
    this.draw();
    this.dispatchEvent(new CustomEvent('measured', {
      detail: { count: this.picked.length, distance: ends[0].distanceTo(ends[1]) } }));
  }

  // The foremost point under the pointer, else the one that is nearest to it on the screen.
  nearest(x, y, box) {
    const position = this.points.geometry.getAttribute('position');
    const toScreen = new Matrix4().multiplyMatrices(
      this.camera.projectionMatrix, this.camera.matrixWorldInverse).multiply(this.points.matrixWorld);
    const point = new Vector3();
    let under = -1, front = 1, beside = -1, least = REACH;
    for (let index = 0; index < position.count; index++) {
      point.fromBufferAttribute(position, index).applyMatrix4(toScreen);
      if (point.z < -1 || point.z > 1) continue;
      const away = Math.hypot(
        ((point.x + 1) / 2) * box.width - x, ((1 - point.y) / 2) * box.height - y);
      if (away < this.material.size + 2 && point.z < front) [under, front] = [index, point.z];
      if (away < least) [beside, least] = [index, away];
    }
    const index = under >= 0 ? under : beside;
    if (index < 0) return null;
    return new Vector3().fromBufferAttribute(position, index).applyMatrix4(this.points.matrixWorld);
  }

  key(event) {
    const step = { '+': 0.85, '=': 0.85, '-': 1 / 0.85 }[event.key];
    if (!step) return;
    this.camera.position.sub(this.controls.target).multiplyScalar(step).add(this.controls.target);
    this.controls.update();
    event.preventDefault();
  }

  // The points in the frame of the first camera (x right, y down, z forward), as binary PLY.
  ply() {
    const { geometry, matrixWorld } = this.points;
    const position = geometry.getAttribute('position');
    const rgb = geometry.userData.rgb;
    const head = `ply\nformat binary_little_endian 1.0\nelement vertex ${position.count}\n`
      + 'property float x\nproperty float y\nproperty float z\nproperty uchar red\n'
      + 'property uchar green\nproperty uchar blue\nend_header\n';
    const data = new DataView(new ArrayBuffer(position.count * 15));
    const point = new Vector3();
    for (let index = 0; index < position.count; index++) {
      point.fromBufferAttribute(position, index).applyMatrix4(matrixWorld);
      const at = index * 15;
      data.setFloat32(at, point.x, true);
      data.setFloat32(at + 4, -point.y, true);
      data.setFloat32(at + 8, -point.z, true);
      for (let part = 0; part < 3; part++) {
        data.setUint8(at + 12 + part, Math.round(rgb.getComponent(index, part) * 255));
      }
    }
    return new Blob([head, data.buffer], { type: 'application/octet-stream' });
  }
}

function ramp(values) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort();
  const low = sorted[Math.floor(sorted.length * 0.02)];
  const high = sorted[Math.ceil(sorted.length * 0.98) - 1];
  const colours = new Float32Array(values.length * 3);
  const colour = new Color();
  values.forEach((value, index) => {
    const where = Math.max(0, Math.min(1, (value - low) / (high - low || 1))) * (RAMP.length - 1);
    const below = Math.min(Math.floor(where), RAMP.length - 2);
    colour.copy(RAMP[below]).lerp(RAMP[below + 1], where - below).toArray(colours, index * 3);
  });
  return new BufferAttribute(colours, 3);
}
