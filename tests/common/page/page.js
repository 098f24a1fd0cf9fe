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

const does = {
  compile: (device, { programs }) => Promise.all(programs.map((program) => compile(device, program))),
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
