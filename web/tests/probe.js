// Asks the test what to call of the engine, and tells it what came of it (engine.rs beside this file).
import init, { Engine } from "./afterimage_web.js";

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

// The devices that the engine opens, so that a test can take one away as browsers do.
const devices = [];
const open = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...wanted) {
  const device = await open.apply(this, wanted);
  devices.push(device);
  return device;
};

let engine;
const does = {
  open: async () => {
    await init();
    engine = await Engine.open();
    return { adapter: engine.adapter, fields: Engine.fields() };
  },
  load: ({ name, checkpoint }) => { engine.load(name, bytes(checkpoint)); return JSON.parse(engine.about()); },
  energies: async ({ samples }) => Array.from(await engine.energies(new Float32Array(samples))),
  // Trains until so many steps have come back, as the page does, and says how long that took.
  train: async ({ preset, settings, steps }) => {
    await engine.train(preset, settings);
    const began = performance.now(), numbers = Engine.fields().length;
    let rows = [], hands = 0;
    while (rows.length < steps * numbers) {
      const before = performance.now();
      rows = rows.concat(Array.from(engine.advance(6)));
      hands = Math.max(hands, performance.now() - before);
      await turn();
    }
    return { rows, milliseconds: performance.now() - began, longest_hand_over: hands };
  },
  lose: async () => { devices.at(-1).destroy(); await devices.at(-1).lost; return { devices: devices.length }; },
  take: async () => { await engine.take(); return JSON.parse(engine.about()); },
  noise: async () => Array.from(await engine.noise()),
  chains: async ({ count, seed, steps }) => { engine.start(count, seed); return Array.from(await engine.walk(steps)); },
  fill: async ({ count, seed, sample, known, steps }) => {
    engine.fill(count, seed, new Float32Array(sample), new Uint8Array(known));
    return Array.from(await engine.walk(steps));
  },
  refused: async ({ of }) => {
    try {
      await does[of.what](of);
    } catch (error) {
      return String(error.message ?? error);
    }
    throw new Error(`${of.what} was not refused`);
  },
};

let answer = {};
for (;;) {
  const task = await (await fetch("next", { method: "POST", body: JSON.stringify(answer) })).json();
  try {
    answer = (await does[task.what](task)) ?? {};
  } catch (error) {
    answer = { wrong: String(error.stack ?? error) };
  }
}
