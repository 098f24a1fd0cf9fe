// A pad to draw a digit on and to rub parts of it out: 8 by 8 pixels of 0 to 16, made as those of the data were, by counting the ink in
// blocks of 4 by 4 of a bitmap of 32 by 32.

const SIDE = 8, FINE = 32, BLOCK = FINE / SIDE, MOST = BLOCK * BLOCK;
// Of the pen, in fine pixels.
const RADIUS = 2;

export class Pad {
  // `changed` is called after every stroke.
  constructor(canvas, tool, changed) {
    this.canvas = canvas;
    this.tool = tool;
    this.changed = changed;
    this.cursor = [FINE / 2, FINE / 2];
    this.clear();
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((v) => v * FINE);
    };
    let before = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      before = at(event);
      this.stroke(before, before);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!before) return;
      const now = at(event);
      this.stroke(before, now);
      before = now;
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { before = null; });
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (move) {
        this.cursor = this.cursor.map((v, i) => Math.min(Math.max(v + move[i], 0), FINE - 1));
        this.show();
      } else if (event.key === " ") {
        this.stroke(this.cursor, this.cursor);
      } else {
        return;
      }
      event.preventDefault();
    });
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.show());
  }

  clear() {
    this.ink = new Uint8Array(FINE * FINE);
    this.base = new Float32Array(SIDE * SIDE);
    this.rubbed = new Uint8Array(SIDE * SIDE);
    this.show();
  }

  // A digit as it is in the data, from 0 to 1.
  set(values) {
    this.clear();
    this.base = values.map((value) => value * MOST);
    this.show();
  }

  stroke(from, to) {
    const steps = Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])) + 1;
    const rubs = this.tool() === "rub";
    for (let step = 0; step < steps; step++) {
      const [x, y] = from.map((v, i) => v + (step / steps) * (to[i] - v));
      if (rubs) {
        const [column, row] = [x, y].map((v) => Math.floor(v / BLOCK));
        if (column >= 0 && column < SIDE && row >= 0 && row < SIDE) this.rubbed[row * SIDE + column] = 1;
      } else {
        this.blot(x, y);
      }
    }
    this.cursor = to.map((v) => Math.min(Math.max(Math.floor(v), 0), FINE - 1));
    this.show();
    this.changed();
  }

  blot(x, y) {
    for (let row = 0; row < FINE; row++) {
      for (let column = 0; column < FINE; column++) {
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > RADIUS) continue;
        this.ink[row * FINE + column] = 1;
        this.rubbed[Math.floor(row / BLOCK) * SIDE + Math.floor(column / BLOCK)] = 0;
      }
    }
  }

  // Pixels from 0 to 1.
  values() {
    const counts = new Float32Array(SIDE * SIDE);
    this.ink.forEach((ink, i) => {
      counts[Math.floor(Math.floor(i / FINE) / BLOCK) * SIDE + Math.floor((i % FINE) / BLOCK)] += ink;
    });
    return counts.map((count, i) => Math.max(count, this.base[i]) / MOST);
  }

  // 1 for each pixel that was not rubbed out.
  known() {
    return this.rubbed.map((rubbed) => 1 - rubbed);
  }

  show() {
    const context = this.canvas.getContext("2d"), size = this.canvas.width / SIDE;
    this.values().forEach((value, i) => {
      const [x, y] = [(i % SIDE) * size, Math.floor(i / SIDE) * size];
      const light = Math.round(255 * value);
      context.fillStyle = `rgb(${light}, ${light}, ${light})`;
      context.fillRect(x, y, size, size);
      if (!this.rubbed[i]) return;
      context.fillStyle = "#8a5a2b";
      context.fillRect(x, y, size, size);
      context.strokeStyle = "#e9c79a";
      context.beginPath();
      for (let k = 8; k < 2 * size; k += 16) {
        context.moveTo(x + Math.max(k - size, 0), y + Math.min(k, size));
        context.lineTo(x + Math.min(k, size), y + Math.max(k - size, 0));
      }
      context.stroke();
    });
    if (document.activeElement !== this.canvas) return;
    const fine = this.canvas.width / FINE;
    context.strokeStyle = "#ff8a3d";
    context.lineWidth = 3;
    context.strokeRect(this.cursor[0] * fine, this.cursor[1] * fine, fine, fine);
    context.lineWidth = 1;
  }
}
