"use strict";
// One picture at a time, under a slider that keys move, too. Without this script all of them stand side by side.
(function () {
  const slider = document.getElementById("frame");
  if (!slider) { return; }
  const frames = Array.from(document.querySelectorAll("#strip > .frame"));
  const step = document.getElementById("frame-step");
  function show() {
    frames.forEach(function (frame, place) { frame.hidden = place !== Number(slider.value); });
    const shown = frames[Number(slider.value)].dataset.step;
    step.textContent = shown;
    slider.setAttribute("aria-valuetext", "after " + shown + " steps");
  }
  document.getElementById("strip").removeAttribute("tabindex");
  slider.closest(".slider").hidden = frames.length < 2;
  slider.addEventListener("input", show);
  show();
})();
