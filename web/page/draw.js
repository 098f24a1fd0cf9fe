// What is drawn on canvases: landscapes, points, grids of images, curves.

// Dark to light, so that low energies are light (the ends and middle of viridis).
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
// Energies are drawn up to so many nats above the least.
const DEPTH = 8;

function colour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
  const i = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[i].map((from, c) => from + (place - i) * (COLOURS[i + 1][c] - from));
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The points of a square grid over the plane from low to high, row by row from the top, as values of the model.
export function grid(side, low, high) {
  const points = new Float32Array(2 * side * side);
  const at = (i) => low + ((i + 0.5) / side) * (high - low);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      points.set([at(column), at(side - 1 - row)], 2 * (row * side + column));
    }
  }
  return points;
}

// Energies on such a grid, as a picture.
export function landscape(canvas, energies, side) {
  const image = new ImageData(side, side);
  const least = energies.reduce((a, b) => Math.min(a, b), Infinity);
  energies.forEach((energy, i) => image.data.set([...colour(1 - (energy - least) / DEPTH), 255], 4 * i));
  const small = new OffscreenCanvas(side, side);
  small.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Points of the plane over what is there.
export function points(canvas, values, low, high) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / (high - low);
  context.fillStyle = "rgba(255, 255, 255, 0.9)";
  context.strokeStyle = "rgba(0, 0, 0, 0.6)";
  for (let i = 0; i + 1 < values.length; i += 2) {
    context.beginPath();
    context.arc((values[i] - low) * scale, (high - values[i + 1]) * scale, 2.5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

export function clear(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

// Images of one channel, or the mean of three, beside each other.
export function images(canvas, values, { channels, height, width, low, high }) {
  const size = height * width, count = Math.floor(values.length / (channels * size));
  const across = Math.ceil(Math.sqrt(count)), down = Math.ceil(count / across);
  const [w, h] = [across * (width + 1) + 1, down * (height + 1) + 1];
  const image = new ImageData(w, h);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < size; p++) {
      const of = (c) => 255 * (values[(i * channels + c) * size + p] - low) / (high - low);
      const rgb = channels === 3 ? [of(0), of(1), of(2)] : [of(0), of(0), of(0)];
      const x = (i % across) * (width + 1) + 1 + (p % width);
      const y = Math.floor(i / across) * (height + 1) + 1 + Math.floor(p / width);
      image.data.set([...rgb, 255], 4 * (y * w + x));
    }
  }
  const small = new OffscreenCanvas(w, h);
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.height = Math.round(canvas.width * h / w);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Axes with the least and the greatest value, and a function that gives the place of a value.
function frame(canvas, [left, right], [bottom, top]) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas, [x0, y0, x1, y1] = [84, height - 40, width - 12, 16];
  context.clearRect(0, 0, width, height);
  context.strokeStyle = style("--line");
  context.strokeRect(x0, y1, x1 - x0, y0 - y1);
  context.fillStyle = style("--soft");
  context.font = "22px system-ui, sans-serif";
  const text = (value) => Number(value.toPrecision(3)).toString();
  context.textAlign = "right";
  context.fillText(text(top), x0 - 8, y1 + 18);
  context.fillText(text(bottom), x0 - 8, y0);
  context.fillText(text(right), x1, y0 + 28);
  context.textAlign = "left";
  context.fillText(text(left), x0, y0 + 28);
  const within = (value, from, to) => (to > from ? (value - from) / (to - from) : 0.5);
  return {
    context, y0,
    x: (value) => x0 + within(value, left, right) * (x1 - x0),
    y: (value) => y0 + within(value, bottom, top) * (y1 - y0),
  };
}

// Curves over steps: lists of values with the name of a colour each; ticks where the snapshot was refreshed.
export function curves(canvas, steps, lines, ticks = []) {
  if (!steps.length) return clear(canvas);
  const all = lines.flatMap(({ values }) => values).filter(Number.isFinite);
  const [bottom, top] = [all.reduce((a, b) => Math.min(a, b), 0), all.reduce((a, b) => Math.max(a, b), 1e-3)];
  const { context, x, y, y0 } = frame(canvas, [0, steps[steps.length - 1]], [bottom, top]);
  context.strokeStyle = style("--tick");
  context.lineWidth = 2;
  context.beginPath();
  for (const step of ticks) {
    context.moveTo(x(step), y0);
    context.lineTo(x(step), y0 - 14);
  }
  context.stroke();
  for (const { values, colour } of lines) {
    context.strokeStyle = style(colour);
    context.beginPath();
    values.forEach((value, i) => context.lineTo(x(steps[i]), y(value)));
    context.stroke();
  }
  context.lineWidth = 1;
}

// Where an energy lies among others.
export function scale(canvas, others, own) {
  const BINS = 30;
  const finite = [...others, own].filter(Number.isFinite);
  if (!finite.length) return clear(canvas);
  const [least, most] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
  const counts = new Array(BINS).fill(0);
  const bin = (value) => Math.min(Math.floor(BINS * (value - least) / ((most - least) || 1)), BINS - 1);
  others.forEach((value) => counts[bin(value)]++);
  const { context, x, y, y0 } = frame(canvas, [least, most], [0, Math.max(...counts, 1)]);
  context.fillStyle = style("--data");
  counts.forEach((count, i) => {
    const [from, to] = [i, i + 1].map((edge) => x(least + (edge / BINS) * (most - least)));
    context.fillRect(from, y(count), Math.max(to - from - 1, 1), y0 - y(count));
  });
  if (Number.isFinite(own)) {
    context.strokeStyle = style("--noise");
    context.lineWidth = 4;
    context.beginPath();
    context.moveTo(x(own), y0);
    context.lineTo(x(own), y(Math.max(...counts, 1)));
    context.stroke();
    context.lineWidth = 1;
  }
}
