//! What runs a recording: an executor, or a browser's adapter.

use super::executor;
use super::page::{Page, text};
use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::low_level::gpu::{Access, Command, Dispatch, Resource};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Where kernels are run to be compared with their twins.
pub enum Device {
    Native(Box<Executor>),
    Browser(Box<Browser>),
}

/// Executors without and with the shaders' runtime checks; with AFTERIMAGE_TEST_DEVICE=chromium the software adapter of
/// Chromium in their place, which always checks.
pub fn devices() -> Vec<Device> {
    match is_browser() {
        true => vec![device(true)],
        false => [false, true].map(device).into(),
    }
}

/// One of them.
pub fn device(runtime_checks: bool) -> Device {
    match is_browser() {
        true => Device::Browser(Browser::open().into()),
        false => Device::Native(executor(runtime_checks).into()),
    }
}

/// Whether the tests are to run in a browser.
pub fn is_browser() -> bool {
    match std::env::var("AFTERIMAGE_TEST_DEVICE").ok().as_deref() {
        None | Some("") => false,
        Some("chromium") => true,
        Some(other) => panic!("AFTERIMAGE_TEST_DEVICE={other}: it may be chromium"),
    }
}

impl Device {
    /// Runs a recording to its end.
    pub fn run(&mut self, recording: &Recording) {
        match self {
            Device::Native(executor) => executor.run(recording).expect("runs"),
            Device::Browser(browser) => browser.run(recording),
        }
    }

    /// The first words of a buffer.
    pub fn read_words(&mut self, buffer: Buffer, words: usize) -> Vec<u32> {
        match self {
            Device::Native(executor) => executor.read_words(buffer, 0, words).expect("reads"),
            Device::Browser(browser) => browser.read_words(buffer, words),
        }
    }

    /// A whole buffer of numbers.
    pub fn read(&mut self, buffer: Buffer) -> Vec<f32> {
        let words = self.read_words(buffer, buffer.words()).into_iter();
        words.map(f32::from_bits).collect()
    }
}

/// A page that runs recordings, and what it has been told of.
pub struct Browser {
    page: Page,
    resources: HashMap<Resource, usize>,
    programs: HashMap<String, usize>,
}

impl Browser {
    fn open() -> Browser {
        let page = Page::open();
        Browser {
            page: page.expect("AFTERIMAGE_TEST_DEVICE=chromium, but there is none"),
            resources: HashMap::new(),
            programs: HashMap::new(),
        }
    }

    fn run(&mut self, recording: &Recording) {
        let mut made = Vec::new();
        let expanded = recording.expanded();
        let commands: Vec<Value> = expanded
            .commands()
            .iter()
            .map(|command| self.command(command, &mut made))
            .collect();
        self.page
            .ask(&json!({"what": "run", "made": made, "commands": commands}));
    }

    fn read_words(&mut self, buffer: Buffer, words: usize) -> Vec<u32> {
        let number = self.resources[&buffer.into()];
        let answer = self
            .page
            .ask(&json!({"what": "read", "buffer": number, "words": words}));
        let bytes = answer.as_str().expect("is a text");
        let bytes = BASE64.decode(bytes).expect("is base64");
        assert_eq!(bytes.len(), 4 * words);
        let words = bytes.as_chunks::<4>().0.iter();
        words.map(|&word| u32::from_le_bytes(word)).collect()
    }

    /// A command as the page takes it, after what it names for the first time has been added to `made`.
    fn command(&mut self, command: &Command, made: &mut Vec<Value>) -> Value {
        match command {
            Command::Upload {
                buffer,
                offset,
                words,
            } => {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                let to = self.resource((*buffer).into(), made);
                json!({"upload": BASE64.encode(bytes), "to": to, "at": offset})
            }
            Command::Copy {
                from,
                from_offset,
                to,
                to_offset,
                words,
            } => {
                let [from, to] = [*from, *to].map(|buffer| self.resource(buffer.into(), made));
                json!({"copy": from, "from": from_offset, "to": to, "at": to_offset, "words": words})
            }
            Command::Dispatch(dispatch) => {
                let resources = dispatch.resources.iter();
                let resources: Vec<usize> = resources
                    .map(|&resource| self.resource(resource, made))
                    .collect();
                json!({
                    "dispatch": self.program(dispatch, made), "resources": resources,
                    "immediates": dispatch.immediates, "workgroups": dispatch.workgroups,
                })
            }
            other => panic!("the page carries out no {other:?}"),
        }
    }

    fn resource(&mut self, resource: Resource, made: &mut Vec<Value>) -> usize {
        let next = self.resources.len();
        *self.resources.entry(resource).or_insert_with(|| {
            made.push(match resource {
                Resource::Buffer(buffer) => json!({"buffer": next, "words": buffer.words()}),
                Resource::Image(image) => json!({
                    "image": next, "format": image.format().name(),
                    "width": image.width(), "height": image.height(),
                }),
            });
            next
        })
    }

    fn program(&mut self, dispatch: &Dispatch, made: &mut Vec<Value>) -> usize {
        let program = &dispatch.program;
        let text = text(program);
        if let Some(&number) = self.programs.get(&text) {
            return number;
        }
        let number = self.programs.len();
        let bindings = program.kernel.bindings.iter();
        let bindings: Vec<Value> = bindings
            .map(|&access| {
                let kind = match access {
                    Access::Read => "read-only-storage",
                    Access::ReadWrite => "storage",
                    Access::ImageRead | Access::FormatRead(_) => "read-only",
                    Access::ImageWrite | Access::FormatWrite(_) => "write-only",
                };
                let format = program.image_format(access).map(|format| format.name());
                json!({"kind": kind, "format": format})
            })
            .collect();
        made.push(json!({
            "program": number, "code": text, "bindings": bindings,
            "immediates": program.kernel.immediates,
        }));
        self.programs.insert(text, number);
        number
    }
}
