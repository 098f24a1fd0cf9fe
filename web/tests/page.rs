//! The page itself, used as a visitor would, on the software adapter of headless Chromium. `web/build.sh` comes first.

mod support;

use afterimage::config;
use afterimage::data;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::train::{self, Trainer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::fs;
use support::Page;

/// What text has to stand out by (WCAG 2.2, success criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// The page, with `ui.js` and then `before` in front of all that it does.
fn open(before: &str, flags: &[&str]) -> Option<Page> {
    let page = include_str!("../page/index.html");
    let head = format!("<head><script src=\"ui.js\"></script><script>{before}</script>");
    let files = [
        ("/", "text/html", page.replacen("<head>", &head, 1)),
        (
            "/ui.js",
            "text/javascript",
            include_str!("ui.js").to_owned(),
        ),
    ];
    support::open("/", &files, flags)
}

/// What a piece of JavaScript gives in the page, in which nothing may go wrong.
fn run(page: &mut Page, code: &str) -> Value {
    page.ask(&json!({"code": code}))["found"].take()
}

fn ready(page: &mut Page) {
    run(page, "await until(() => !$('main').hidden)");
}

#[test]
fn a_planar_set_is_trained_live_and_its_chains_run() {
    let Some(mut page) = open("", &[]) else {
        return;
    };
    ready(&mut page);
    let found = run(
        &mut page,
        "$('preset').value = 'moons';
        $('train').click();
        await until(() => colours('picture') > 100 && colours('energies') > 3 && colours('ratio') > 3);
        const before = $('progress').value;
        await until(() => $('progress').value > before);
        $('pause').click();
        await new Promise((resolve) => setTimeout(resolve, 1500));
        const paused = $('progress').value;
        await new Promise((resolve) => setTimeout(resolve, 500));
        const still = $('progress').value;
        $('walk').click();
        await until(() => colours('chains') > 100);
        const first = $('chains').toDataURL();
        await until(() => $('chains').toDataURL() !== first);
        $('walk').click();
        $('pause').click();
        await until(() => $('progress').value > still);
        return { paused, still, digit: $('digit').hidden, figures: $('figures').textContent };",
    );
    assert_eq!(found["paused"], found["still"], "{found}");
    assert_eq!(found["digit"], true, "{found}");
    let figures = found["figures"].as_str().expect("is a text");
    assert!(
        figures.contains("of 2400") && figures.contains("spread"),
        "{figures}"
    );
}

#[test]
fn a_digit_is_drawn_weighed_rubbed_out_and_filled_in() {
    let Some(mut page) = open("", &[]) else {
        return;
    };
    ready(&mut page);
    let bytes = checkpoint();
    let code = format!(
        "const bytes = Uint8Array.from(atob('{}'), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], 'dropped.safetensors'));
        dispatchEvent(new DragEvent('dragover', {{ dataTransfer: transfer, cancelable: true }}));
        const outlined = document.body.className;
        dispatchEvent(new DragEvent('drop', {{ dataTransfer: transfer, cancelable: true }}));
        await until(() => !$('digit').hidden && /lower than/.test($('energy').textContent));
        return {{ outlined, status: $('status').textContent, energy: $('energy').textContent }};",
        BASE64.encode(bytes)
    );
    let found = run(&mut page, &code);
    assert_eq!(found["outlined"], "dropping", "{found}");
    let status = found["status"].as_str().expect("is a text");
    assert!(
        status.contains("dropped.safetensors") && status.contains("4 steps"),
        "{status}"
    );
    let found = run(
        &mut page,
        "const pad = $('pad');
        const send = (name, x, y) => {
          const box = pad.getBoundingClientRect();
          pad.dispatchEvent(new PointerEvent(name, {
            pointerId: 1, clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true }));
        };
        pad.setPointerCapture = () => {};
        const empty = $('energy').textContent;
        send('pointerdown', 0.5, 0.1); send('pointermove', 0.5, 0.5); send('pointermove', 0.5, 0.9); send('pointerup', 0.5, 0.9);
        const drawn = await until(() => $('energy').textContent !== empty && $('energy').textContent);
        pad.focus();
        for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', ' ']) {
          pad.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        }
        const more = await until(() => $('energy').textContent !== drawn && $('energy').textContent);
        $('take').click();
        const taken = await until(() => $('energy').textContent !== more && $('energy').textContent);
        $('fill').click();
        await until(() => /Rub/.test($('status').textContent));
        document.querySelector('input[value=rub]').click();
        send('pointerdown', 0.1, 0.7); send('pointermove', 0.9, 0.7); send('pointerup', 0.9, 0.7);
        const inks = colours('pad');
        $('fill').click();
        await until(() => colours('chains') > 20 && /filled in/.test($('chains-caption').textContent));
        $('walk').click();
        return { empty, drawn, more, taken, inks, scale: colours('scale') };",
    );
    assert!(
        found["scale"].as_u64().is_some_and(|colours| colours > 3),
        "{found}"
    );
}

/// A small model of digits after a few steps.
fn checkpoint() -> Vec<u8> {
    let sets = [
        "run.steps=4",
        "run.batch=16",
        "network.layers=[{conv=8, kernel=3, stride=2, padding=1}, {dense=1}]",
    ];
    let config = config::load("digits", &sets.map(String::from)).expect("loads");
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    let executor = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).expect("opens");
    let mut trainer = Trainer::new(executor, &config, data).expect("starts");
    let model = train::in_memory(&mut trainer, &mut |_| true).expect("trains");
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("model.safetensors");
    model.save(&path).expect("saves");
    fs::read(path).expect("reads")
}

#[test]
fn what_cannot_be_read_is_told_and_the_page_goes_on() {
    let Some(mut page) = open("", &[]) else {
        return;
    };
    ready(&mut page);
    let found = run(
        &mut page,
        "const transfer = new DataTransfer();
        transfer.items.add(new File(['nothing of the kind'], 'letter.txt'));
        dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
        const said = await until(() => $('status').classList.contains('wrong') && $('status').textContent);
        $('preset').value = 'moons';
        $('train').click();
        await until(() => $('progress').value > 0);
        return { said, wrong: $('status').classList.contains('wrong') };",
    );
    let said = found["said"].as_str().expect("is a text");
    assert!(
        said.contains("letter.txt") && said.contains("name a checkpoint"),
        "{said}"
    );
    assert_eq!(found["wrong"], false, "{found}");
}

#[test]
fn browsers_without_webgpu_are_told_so() {
    let without = "Object.defineProperty(navigator, 'gpu', { value: undefined });";
    let Some(mut page) = open(without, &[]) else {
        return;
    };
    let said = run(
        &mut page,
        "return await until(() => $('status').classList.contains('wrong') && $('status').textContent)",
    );
    assert!(
        said.as_str().is_some_and(|said| said.contains("no WebGPU")),
        "{said}"
    );
    assert_eq!(run(&mut page, "return $('main').hidden"), true);
}

#[test]
fn everything_can_be_read_narrow_and_wide_light_and_dark() {
    for (dark, flag) in [
        (false, "--blink-settings=preferredColorScheme=1"),
        (true, "--blink-settings=preferredColorScheme=0"),
    ] {
        let Some(mut page) = open("", &[flag]) else {
            return;
        };
        ready(&mut page);
        // Windows have a least width, frames have none; and all that may be shown is.
        let found = run(
            &mut page,
            "const found = [];
            for (const width of [320, 400, 1200]) {
              const frame = document.createElement('iframe');
              frame.style.width = width + 'px';
              frame.srcdoc = document.documentElement.outerHTML.replace(/<script.*?<\\/script>/g, '').replaceAll(' hidden', '');
              const loaded = new Promise((resolve) => { frame.onload = resolve; });
              document.body.append(frame);
              await loaded;
              found.push({ ...flaws(frame.contentDocument), dark: matchMedia('(prefers-color-scheme: dark)').matches });
              frame.remove();
            }
            return found;",
        );
        let found = found.as_array().expect("is a list");
        assert_eq!(found.len(), 3);
        for found in found {
            assert_eq!(found["dark"], dark, "{found}");
            assert!(
                found["least"]
                    .as_f64()
                    .is_some_and(|least| least >= LEAST_CONTRAST),
                "{found}"
            );
            assert!(
                found["small"].as_f64().is_some_and(|small| small >= 12.0),
                "{found}"
            );
            assert!(
                found["scroll"].as_u64() <= found["width"].as_u64(),
                "wider than its window: {found}"
            );
            assert_eq!(found["unnamed"], json!([]), "{found}");
        }
    }
}
