// Asks the test for tasks, one after the other, and tells it what became of each (mod.rs beside this file).
"use strict";

const LIMITS = ["maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX", "maxBufferSize", "maxStorageBufferBindingSize", "maxImmediateSize"];

async function open() {
  const adapter = await navigator.gpu.requestAdapter();
  const limits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const features = ["subgroups"].filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits: limits });
  const { vendor, architecture, subgroupMinSize, subgroupMaxSize } = adapter.info;
  return [device, { vendor, architecture, subgroupMinSize, subgroupMaxSize, features, limits }];
}

// What the compiler says of a program, and whether it makes a pipeline of it.
async function compile(device, { code, pipeline }) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  // Not awaited yet: scopes are a stack that all programs of a task share.
  const popped = device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  const scope = await popped;
  const found = { messages: messages.map(({ type, lineNum, message }) => ({ type, line: lineNum, message })) };
  if (scope) found.error = scope.message;
  if (!scope && pipeline) {
    try {
      await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
    } catch (error) {
      found.error = String(error);
    }
  }
  return found;
}

// By the numbers that the test gives them.
const resources = [], programs = [];

function make(device, thing) {
  if (thing.buffer !== undefined) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    resources[thing.buffer] = { buffer: device.createBuffer({ size: 4 * thing.words, usage }) };
  } else if (thing.image !== undefined) {
    const { width, height, format } = thing;
    const texture = device.createTexture({ size: [width, height], format, usage: GPUTextureUsage.STORAGE_BINDING });
    resources[thing.image] = texture.createView();
  } else {
    const { code, bindings, immediates } = thing;
    const entries = bindings.map(({ kind, format }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      ...(format ? { storageTexture: { access: kind, format } } : { buffer: { type: kind } }),
    }));
    const layout = device.createBindGroupLayout({ entries });
    const module = device.createShaderModule({ code });
    programs[thing.program] = { layout, pipeline: device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout], immediateSize: 4 * immediates }),
      compute: { module, entryPoint: "main" },
    }) };
  }
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function dispatch(device, encoder, command) {
  const { layout, pipeline } = programs[command.dispatch];
  const entries = command.resources.map((number, binding) => ({ binding, resource: resources[number] }));
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  if (command.immediates.length) pass.setImmediates(0, new Uint32Array(command.immediates));
  pass.dispatchWorkgroups(...command.workgroups);
  pass.end();
}

async function run(device, { made, commands }) {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  made.forEach((thing) => make(device, thing));
  let encoder = device.createCommandEncoder();
  for (const command of commands) {
    if (command.upload !== undefined) {
      // A queue writes at once: what was recorded before goes first.
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder();
      device.queue.writeBuffer(resources[command.to].buffer, 4 * command.at, bytes(command.upload));
    } else if (command.copy !== undefined) {
      encoder.copyBufferToBuffer(resources[command.copy].buffer, 4 * command.from, resources[command.to].buffer,
        4 * command.at, 4 * command.words);
    } else {
      dispatch(device, encoder, command);
    }
  }
  device.queue.submit([encoder.finish()]);
  const scopes = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  await device.queue.onSubmittedWorkDone();
  const found = scopes.find((scope) => scope !== null);
  if (found) throw new Error(found.message);
  return {};
}

async function read(device, { buffer, words }) {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size: 4 * words, usage });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(resources[buffer].buffer, 0, staging, 0, 4 * words);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const array = new Uint8Array(staging.getMappedRange());
  let text = "";
  for (let i = 0; i < array.length; i += 32768) {
    text += String.fromCharCode(...array.subarray(i, i + 32768));
  }
  staging.destroy();
  return btoa(text);
}

const does = {
  compile: (device, { programs }) => Promise.all(programs.map((program) => compile(device, program))),
  run,
  read,
};

(async () => {
  let device, answer;
  try {
    [device, answer] = await open();
  } catch (error) {
    answer = { wrong: String(error) };
  }
  for (;;) {
    const task = await (await fetch("next", { method: "POST", body: JSON.stringify(answer) })).json();
    try {
      answer = await does[task.what](device, task);
    } catch (error) {
      answer = { wrong: `${error}` };
    }
  }
})();
