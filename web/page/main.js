// The page: one loop calls the engine, one call after the other; what a visitor asks for waits for its turn there.

import init, { Engine } from "./afterimage_web.js";
import { clear, curves, grid, images, landscape, points, scale } from "./draw.js";
import { Pad } from "./pad.js";

const SIDE = 64;
// Milliseconds of a frame that steps may be handed over in, and between two looks at the run; and no more than this share of the time.
const HANDING = 6, BETWEEN = 800, SHARE = 0.2;
// Milliseconds that chains may take for a frame.
const LONGEST = 200;
// Points of chains, and images of them.
const POINTS = 500, IMAGES = 36, FILLED = 9;
// Real digits that a drawing is held against.
const REAL = 128;
// Points of a curve.
const MOST = 600;

const $ = (id) => document.getElementById(id);
const fields = [];
const state = {
  engine: null, training: false, paused: false, walking: false, steps: 0,
  about: null, rows: [], due: 0, step: LONGEST, energies: null, samples: null, chains: null, drawn: false, stale: false, seed: 1,
};
const wishes = [];

function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
}

function wish(what) {
  wishes.push(what);
}

// The next frame; in a hidden page, where there are none, a while.
function frame() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 250);
    requestAnimationFrame(() => { clearTimeout(timer); resolve(); });
  });
}

// Values of a sample.
const length = () => state.about.channels * state.about.height * state.about.width;
const isPlanar = () => state.about && length() === 2;
const isDigit = () => state.about && state.about.channels === 1 && state.about.height === 8 && state.about.width === 8;

// Everything that depends on which model is in use.
async function use() {
  state.about = JSON.parse(state.engine.about());
  state.energies = null;
  $("digit").hidden = !isDigit();
  if (isPlanar()) state.energies = await state.engine.energies(grid(SIDE, state.about.low, state.about.high));
  if (isDigit() && state.drawn) await weigh();
  controls();
}

function controls() {
  const has = state.about !== null, ran = state.steps > 0;
  $("run").hidden = !ran && !isPlanar();
  $("curves").hidden = !ran;
  $("pause").disabled = !state.training;
  $("pause").textContent = state.paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", state.paused);
  $("walk").disabled = $("afresh").disabled = $("fill").disabled = !has;
  $("walk").textContent = state.walking ? "Stop chains" : "Start chains";
  $("walk").setAttribute("aria-pressed", state.walking);
}

async function train() {
  const preset = $("preset").value;
  say(`Preparing ${preset}…`);
  await frame();
  Object.assign(state, { walking: false, stale: false, about: null, rows: [], energies: null, samples: null, chains: null });
  // Figures that take the host long are for run folders.
  await state.engine.train(preset, [`run.seed=${state.seed++}`, "run.figure_every=0", "sampler.diagnose=0"]);
  Object.assign(state, { training: true, paused: false, steps: state.engine.steps(), due: 0 });
  ["picture", "energies", "ratio", "chains"].forEach((id) => clear($(id)));
  say(`Training on ${state.engine.adapter}.`);
  controls();
}

// Hands over steps, and takes in what has come back.
function advance() {
  const found = state.engine.advance(HANDING);
  for (let i = 0; i < found.length; i += fields.length) {
    state.rows.push(Object.fromEntries(fields.map((name, k) => [name, found[i + k]])));
  }
  if (!found.length) return;
  const row = state.rows[state.rows.length - 1], done = row.step + 1;
  $("progress").value = done / state.steps;
  const speed = row.samples_per_second > 0 ? `, ${Math.round(row.samples_per_second)} data samples a second` : "";
  $("figures").textContent = `Step ${done} of ${state.steps}${speed}. Energies: data ${row.energy_data.toFixed(2)}, ` +
    `noise ${row.energy_noise.toFixed(2)}. Log-ratio: spread ${row.log_ratio_spread.toFixed(3)}, accuracy ${row.accuracy.toFixed(3)}.`;
  if (done >= state.steps) finish();
}

function finish() {
  state.training = false;
  wish(look);
  say(`Trained: ${state.steps} steps on ${state.engine.adapter}.`);
  controls();
}

function drawCurves() {
  const every = Math.max(1, Math.ceil(state.rows.length / MOST));
  const kept = state.rows.filter((_, i) => i % every === 0);
  const steps = kept.map((row) => row.step), of = (name) => kept.map((row) => row[name]);
  curves($("energies"), steps, [{ values: of("energy_data"), colour: "--data" }, { values: of("energy_noise"), colour: "--noise" }]);
  const refreshes = state.rows.filter((row) => row.snapshot_age === 0).map((row) => row.step);
  const ticks = refreshes.filter((_, i) => i % Math.max(1, Math.ceil(refreshes.length / 100)) === 0);
  curves($("ratio"), steps, [{ values: of("log_ratio_spread"), colour: "--data" }], ticks);
}

// A look at the run: its model, and the noise that it compares with.
async function look() {
  const began = performance.now();
  // Chains are of the model that they began with.
  state.stale = state.walking;
  if (!state.walking) {
    await state.engine.take();
    await use();
  }
  state.samples = await state.engine.noise();
  drawPicture();
  drawCurves();
  const now = performance.now();
  state.due = now + Math.max(BETWEEN, (now - began) / SHARE);
}

function drawPicture() {
  const canvas = $("picture");
  if (isPlanar()) canvas.height = canvas.width;
  if (isPlanar() && state.energies) {
    landscape(canvas, state.energies, SIDE);
    if (state.samples) points(canvas, state.samples.subarray(0, 2 * POINTS), state.about.low, state.about.high);
    $("picture-caption").textContent = "The energy landscape, low energies light, with chains of the snapshot over it.";
  } else if (state.samples && state.about) {
    images(canvas, state.samples.subarray(0, IMAGES * length()), state.about);
    $("picture-caption").textContent = "Chains of the snapshot: the noise that data are told from.";
  }
}

async function startChains() {
  state.engine.start(isPlanar() ? POINTS : IMAGES, state.seed++);
  Object.assign(state, { walking: true, step: LONGEST });
  $("chains-caption").textContent = "Chains of the model's own sampler, from noise.";
  controls();
}

async function walk() {
  // As many steps as are asked for, unless they keep the page from all else for too long.
  const steps = Math.min(Math.max(Math.floor(LONGEST / state.step), 1), Number($("pace").value));
  const began = performance.now();
  state.chains = await state.engine.walk(steps);
  state.step = (performance.now() - began) / steps;
  const canvas = $("chains");
  if (isPlanar()) {
    canvas.height = canvas.width;
    if (state.energies) landscape(canvas, state.energies, SIDE);
    points(canvas, state.chains, state.about.low, state.about.high);
  } else {
    images(canvas, state.chains, state.about);
  }
}

const pad = new Pad($("pad"), () => document.querySelector("input[name=tool]:checked").value, () => {
  state.drawn = true;
  if (!wishes.includes(weigh)) wish(weigh);
});

// Pixels from 0 to 1, as the model has them.
function scaled(values) {
  const { low, high } = state.about;
  return values.map((value) => low + value * (high - low));
}

// The energy of the drawing, beside those of real digits.
async function weigh() {
  if (!isDigit()) return;
  const [own] = await state.engine.energies(scaled(pad.values()));
  // The digits are part of the page; other data of this shape are not here.
  const known = state.about.source === "digits";
  const real = known ? Array.from(await state.engine.energies(state.engine.data(REAL))) : [];
  scale($("scale"), real, own);
  if (!known) {
    $("energy").textContent = `Energy ${own.toFixed(1)} nats. Low energy means likely.`;
    return;
  }
  const above = real.filter((energy) => energy > own).length;
  $("energy").textContent = `Energy ${own.toFixed(1)} nats: lower than that of ${Math.round(100 * above / real.length)} % of ` +
    `${real.length} real digits. Low energy means likely.`;
}

async function fill() {
  if (!pad.rubbed.some(Boolean)) return say("Rub out a part of the drawing first.");
  state.engine.fill(FILLED, state.seed++, scaled(pad.values()), pad.known());
  Object.assign(state, { walking: true, step: LONGEST });
  $("chains-caption").textContent = "What was rubbed out, filled in by chains that hold the rest.";
  $("chains").scrollIntoView({ block: "nearest" });
  controls();
}

async function load(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  state.engine.load(file.name, bytes);
  // A look that is still to come would put the model of the run back.
  for (let place; (place = wishes.indexOf(look)) >= 0;) wishes.splice(place, 1);
  Object.assign(state, { training: false, paused: false, walking: false, stale: false, steps: 0, rows: [], samples: null, chains: null });
  $("progress").value = 0;
  await use();
  await weigh();
  drawPicture();
  const { parameters, step, source, notes } = state.about;
  say([`${file.name}: ${parameters} parameters after ${step} steps on ${source}.`, ...notes].join(" "));
  $("figures").textContent = "";
  controls();
}

// Does some work, and says why it fails; what goes on by it ends then, and nothing else does.
async function attempt(work, goingOn) {
  try {
    await work();
  } catch (error) {
    if (goingOn) state[goingOn] = false;
    controls();
    say(String(error.message ?? error), true);
  }
}

async function goOn() {
  advance();
  if (state.rows.length && performance.now() > state.due) await look();
}

async function loop() {
  for (;;) {
    await frame();
    const next = wishes.shift();
    if (next) await attempt(next);
    if (state.training && !state.paused) await attempt(goOn, "training");
    if (state.walking) await attempt(walk, "walking");
  }
}

function listen() {
  $("train").addEventListener("click", () => wish(train));
  $("pause").addEventListener("click", () => { state.paused = !state.paused; controls(); });
  $("walk").addEventListener("click", () => {
    if (!state.walking) return wish(startChains);
    state.walking = false;
    controls();
    if (state.stale) wish(look);
  });
  $("afresh").addEventListener("click", () => wish(startChains));
  $("pace").addEventListener("input", () => { $("pace-value").textContent = $("pace").value; });
  $("clear").addEventListener("click", () => { pad.clear(); state.drawn = false; wish(weigh); });
  $("take").addEventListener("click", () => wish(async () => {
    if (!isDigit()) return;
    if (state.about.source !== "digits") return say("This model did not learn from the digits that are part of the page.");
    const { low, high } = state.about, real = state.engine.data(REAL);
    const index = state.seed++ % (real.length / 64);
    pad.set(real.slice(64 * index, 64 * index + 64).map((value) => (value - low) / (high - low)));
    state.drawn = true;
    await weigh();
  }));
  $("fill").addEventListener("click", () => wish(fill));
  $("file").addEventListener("change", () => { 
    const [file] = $("file").files;
    // The same file may be chosen again.
    $("file").value = "";
    if (file) wish(() => load(file));
  });
  const drops = (event) => event.dataTransfer && event.dataTransfer.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!drops(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  addEventListener("drop", (event) => {
    if (!drops(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file) wish(() => load(file));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCurves);
}

async function begin() {
  if (!navigator.gpu) {
    return say("This browser has no WebGPU, which the model is trained with. Use a current Chrome, Edge, Safari or Firefox, over https.", true);
  }
  try {
    await init();
    state.engine = await Engine.open();
  } catch (error) {
    return say(`WebGPU is here, but no GPU could be opened: ${error.message ?? error}`, true);
  }
  fields.push(...Engine.fields());
  say(`Ready on ${state.engine.adapter}.`);
  $("main").hidden = false;
  listen();
  controls();
  loop();
}

begin();
