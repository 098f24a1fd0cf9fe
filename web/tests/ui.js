// Goes before everything else of the page: hears of all that goes wrong in it, and runs what the test asks for (page.rs beside this file).
"use strict";

const wrong = [];
addEventListener("error", (event) => wrong.push(String(event.message || event.target.tagName)), true);
addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)));
for (const name of ["error", "warn"]) console[name] = (...words) => wrong.push(words.join(" "));

const $ = (id) => document.getElementById(id);

// Waits until `is` gives something, for at most so many seconds.
async function until(is, seconds = 120) {
  for (const end = performance.now() + 1e3 * seconds; performance.now() < end;) {
    const found = is();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${seconds} s: ${is}; the page says: ${$("status").textContent} ${$("figures").textContent}`);
}

// How many colours a canvas shows.
function colours(id) {
  const canvas = $(id);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}

// What of the page a reader of it would stumble over.
function flaws(document) {
  const light = (colour) => {
    const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/rgba\(.*, 0\)/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = { least: 100, of: "", small: 100, unnamed: [] };
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.tagName === "SCRIPT") continue;
    const ink = light(getComputedStyle(element).color), paper = light(behind(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < found.least) Object.assign(found, { least: contrast, of: element.outerHTML.slice(0, 120) });
    found.small = Math.min(found.small, parseFloat(getComputedStyle(element).fontSize));
  }
  for (const element of document.querySelectorAll("button, select, input, canvas")) {
    const name = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.length;
    if (!name) found.unnamed.push(element.outerHTML.slice(0, 120));
  }
  const root = document.documentElement;
  return { ...found, width: root.clientWidth, scroll: root.scrollWidth };
}

(async () => {
  let answer = {};
  for (;;) {
    const { code } = await (await fetch("/next", { method: "POST", body: JSON.stringify(answer) })).json();
    try {
      const run = new (Object.getPrototypeOf(async () => {}).constructor)(code);
      answer = { found: (await run()) ?? null };
      if (wrong.length) answer = { wrong: wrong.join("\n") };
    } catch (error) {
      answer = { wrong: [...wrong, error.stack ?? error].join("\n") };
    }
  }
})();
