//! Pages as a browser shows them: headless Chromium, where there is one.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::chromium::{HEADLESS, chromium};
use crate::command::run;
use crate::page::trained;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Widths that a page is shown in.
const WIDTHS: [u32; 2] = [400, 1200];
/// What text has to stand out by (WCAG 2.2, success criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// Goes before everything else of a page, to hear of all that goes wrong in it.
const LISTENER: &str = "<script>
var wrong = [];
addEventListener('error', function (event) { wrong.push(String(event.message || event.target.tagName)); }, true);
addEventListener('securitypolicyviolation', function (event) { wrong.push('blocked ' + event.blockedURI); });
['error', 'warn'].forEach(function (name) { console[name] = function () { wrong.push([].join.call(arguments, ' ')); }; });
</script>";

/// Looks at the page once it has loaded, moves the slider, and tells the page around it.
const PROBE: &str = "<script>
addEventListener('load', function () {
  function light(colour) {
    var parts = colour.match(/[\\d.]+/g).slice(0, 3).map(function (part) {
      var c = part / 255;
      return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  }
  function behind(element) {
    for (; element; element = element.parentElement) {
      var colour = getComputedStyle(element).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(colour)) { return colour; }
    }
    return 'rgb(255, 255, 255)';
  }
  function shown() {
    var frames = [].slice.call(document.querySelectorAll('.frame'));
    return frames.filter(function (frame) { return frame.offsetWidth > 0; })
      .map(function (frame) { return frame.dataset.step; });
  }
  document.querySelectorAll('details').forEach(function (details) { details.open = true; });
  var found = { wrong: wrong, width: innerWidth, dark: matchMedia('(prefers-color-scheme: dark)').matches,
    paper: getComputedStyle(document.body).backgroundColor, least: 100, of: '', wide: [], over: [], small: 100 };
  var root = document.documentElement;
  found.scroll = root.scrollWidth;
  document.querySelectorAll('body *').forEach(function (element) {
    var own = [].some.call(element.childNodes, function (node) { return node.nodeType === 3 && node.data.trim(); });
    if (!own || !element.getClientRects().length || /SCRIPT|TITLE/i.test(element.tagName)) { return; }
    var style = getComputedStyle(element);
    var ink = light(element.ownerSVGElement ? style.fill : style.color), paper = light(behind(element));
    var contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < found.least) { found.least = contrast; found.of = element.outerHTML.slice(0, 120); }
    var svg = element.ownerSVGElement;
    var scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    found.small = Math.min(found.small, parseFloat(style.fontSize) * scale);
  });
  document.querySelectorAll('svg text').forEach(function (text) {
    var box = text.getBoundingClientRect(), around = text.ownerSVGElement.getBoundingClientRect();
    if (box.left < around.left - 1 || box.right > around.right + 1) { found.wide.push(text.textContent); }
    text.ownerSVGElement.querySelectorAll('text').forEach(function (other) {
      var next = other.getBoundingClientRect();
      var across = Math.min(box.right, next.right) - Math.max(box.left, next.left);
      var down = Math.min(box.bottom, next.bottom) - Math.max(box.top, next.top);
      // Boxes of lines are higher than their letters.
      if (other !== text && across > 1 && down > 0.4 * box.height) {
        found.over.push(text.textContent + ' | ' + other.textContent);
      }
    });
  });
  found.fetched = performance.getEntriesByType('resource').map(function (entry) { return entry.name; })
    .filter(function (name) { return name.slice(0, 5) !== 'data:'; });
  found.broken = [].filter.call(document.images, function (image) { return !image.complete || !image.naturalWidth; }).length;
  found.unnamed = [].filter.call(document.images, function (image) { return !image.alt; }).length;
  found.before = shown();
  var slider = document.getElementById('frame');
  if (slider) {
    slider.focus();
    found.focused = document.activeElement === slider;
    slider.value = 0;
    slider.dispatchEvent(new Event('input'));
    found.after = shown();
    found.said = document.getElementById('frame-step').textContent;
  }
  parent.postMessage(JSON.stringify(found), '*');
});
</script>";

/// What the page at `path` is like in every width, in light or dark.
fn looked_at(browser: &str, path: &Path, dark: bool) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(path).unwrap();
    let page = page.replacen("<head>", &format!("<head>{LISTENER}"), 1);
    let page = page.replacen("</body>", &format!("{PROBE}</body>"), 1);
    fs::write(folder.path().join("page.html"), page).unwrap();
    // Windows have a least width, frames have none.
    let frames = WIDTHS.map(|width| {
        format!(
            "<iframe src=\"page.html\" style=\"width:{width}px;height:900px;border:0\"></iframe>"
        )
    });
    let around = format!(
        "<!doctype html><pre id=\"found\"></pre><script>
        addEventListener('message', function (event) {{
          document.getElementById('found').textContent += event.data.replace(/[<>&]/g, ' ') + '\\n';
        }});
        </script>{}",
        frames.concat()
    );
    fs::write(folder.path().join("around.html"), around).unwrap();
    let output = Command::new(browser)
        .args(HEADLESS)
        .args(["--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            if dark { 0 } else { 1 }
        ))
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("user").display()
        ))
        .arg(format!(
            "file://{}",
            folder.path().join("around.html").display()
        ))
        .output()
        .expect("starts");
    let dom = String::from_utf8_lossy(&output.stdout);
    let (_, found) = dom.split_once("<pre id=\"found\">").unwrap_or_else(|| {
        panic!("no page: {}", String::from_utf8_lossy(&output.stderr));
    });
    let (found, _) = found.split_once("</pre>").expect("ends");
    let found: Vec<Value> = found
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(
        found.len(),
        WIDTHS.len(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    found
}

#[test]
fn pages_open_in_a_browser_light_and_dark_narrow_and_wide() {
    let Some(browser) = chromium() else {
        return;
    };
    for (preset, layers, evaluate) in [
        (
            "digits",
            IMAGE_LAYERS,
            &["--only", "samples", "--count", "40"][..],
        ),
        (
            "8gaussians",
            POINT_LAYERS,
            &["--count", "50", "--tolerance", "0.01"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run_folder = trained(&folder, preset, layers);
        let path = run_folder.to_str().unwrap();
        run(&folder, &[&["evaluate", path][..], evaluate].concat());
        for dark in [false, true] {
            for found in looked_at(browser, &run_folder.join("report.html"), dark) {
                let width = found["width"].as_u64().unwrap();
                assert!(WIDTHS.contains(&(width as u32)), "{found}");
                for nothing in ["wrong", "fetched", "wide", "over"] {
                    assert_eq!(
                        found[nothing].as_array().unwrap().len(),
                        0,
                        "{nothing}: {found}"
                    );
                }
                assert_eq!(
                    (&found["broken"], &found["unnamed"]),
                    (&0.into(), &0.into()),
                    "{found}"
                );
                assert!(
                    found["scroll"].as_u64().unwrap() <= width,
                    "wider than its window: {found}"
                );
                assert_eq!(found["dark"], dark, "{found}");
                let paper = found["paper"].as_str().unwrap();
                assert_eq!(paper.starts_with("rgb(25"), !dark, "{paper}");
                assert!(
                    found["least"].as_f64().unwrap() >= LEAST_CONTRAST,
                    "{found}"
                );
                assert!(found["small"].as_f64().unwrap() >= 9.0, "{found}");
                // The last picture first, and the first where the slider is moved to.
                assert_eq!(found["before"], serde_json::json!(["4"]), "{found}");
                assert_eq!(found["after"], serde_json::json!(["2"]), "{found}");
                assert_eq!(
                    (&found["said"], &found["focused"]),
                    (&"2".into(), &true.into()),
                    "{found}"
                );
            }
        }
    }
}
