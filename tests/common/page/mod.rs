//! A page in a headless Chromium that does what it is asked: it fetches tasks from a server of ours and posts their answers.

use super::chromium::{HEADLESS, chromium};
use afterimage::low_level::gpu::{Program, expand};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A program's text as browsers want it: WGSL demands a line for subgroups that naga 30 refuses.
pub fn text(program: &Program) -> String {
    let kernel = program.kernel;
    let text = expand(kernel.source, kernel.shared, &program.constants).expect("expands");
    let enabled = match text.contains("subgroup") {
        true => "enable subgroups;\n",
        false => "",
    };
    format!("{enabled}{text}")
}

/// How often is looked whether the browser still runs.
const LOOK: Duration = Duration::from_secs(1);
/// Looks without an answer after which the page is taken for stuck: no task takes a hundredth of this.
const MOST_LOOKS: usize = 1800;

/// What a server of ours has at a path: the kind of thing, and the thing.
pub type Site = Arc<dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync>;

/// The page that carries out recordings.
fn recordings(path: &str) -> Option<(&'static str, Vec<u8>)> {
    match path {
        "/" => Some(("text/html", include_bytes!("page.html").to_vec())),
        "/page.js" => Some(("text/javascript", include_bytes!("page.js").to_vec())),
        _ => None,
    }
}

/// An open page. It closes with the value.
pub struct Page {
    browser: Child,
    /// Of the browser; goes after it.
    _profile: TempDir,
    answers: Receiver<(Value, TcpStream)>,
    /// Where the page waits for its next task.
    waiting: TcpStream,
    /// What the page says when it is open: of one that carries out recordings, what its adapter is.
    pub adapter: Value,
}

impl Page {
    /// A page whose WebGPU runs on Chromium's own software adapter; none where there is no Chromium.
    pub fn open() -> Option<Page> {
        Self::at("/", Arc::new(recordings), &[])
    }

    /// The page at `path` of `site`, which is to post to `/next` as `page.js` does, in a browser started with `flags`; none where there
    /// is no Chromium.
    pub fn at(path: &str, site: Site, flags: &[&str]) -> Option<Page> {
        let name = chromium()?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let (sender, answers) = channel();
        thread::spawn(move || serve(&listener, &site, &sender));
        let profile = tempfile::tempdir().expect("makes a folder");
        let mut browser = Command::new(name)
            .args(HEADLESS)
            .args(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(flags)
            .arg(format!("http://{address}{path}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let (adapter, waiting) = next(&mut browser, &answers);
        Some(Page {
            browser,
            _profile: profile,
            answers,
            waiting,
            adapter,
        })
    }

    /// The page's answer to a task.
    pub fn ask(&mut self, task: &Value) -> Value {
        respond(
            &mut self.waiting,
            "application/json",
            task.to_string().as_bytes(),
        );
        let answer;
        (answer, self.waiting) = next(&mut self.browser, &self.answers);
        answer
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.browser.kill().ok();
        self.browser.wait().ok();
    }
}

/// The next answer, and where to send the next task.
fn next(browser: &mut Child, answers: &Receiver<(Value, TcpStream)>) -> (Value, TcpStream) {
    for _ in 0..MOST_LOOKS {
        match answers.recv_timeout(LOOK) {
            Ok((answer, waiting)) => {
                assert!(answer.get("wrong").is_none(), "in the page: {answer}");
                return (answer, waiting);
            }
            Err(RecvTimeoutError::Timeout) => {
                let ended = browser.try_wait().expect("can be asked");
                assert!(ended.is_none(), "the browser ended: {ended:?}");
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended"),
        }
    }
    browser.kill().ok();
    panic!("the page does not answer");
}

/// Serves the page, and hands on what it posts together with the connection that waits for a task.
fn serve(listener: &TcpListener, site: &Site, answers: &Sender<(Value, TcpStream)>) {
    for stream in listener.incoming().flatten() {
        // Browsers open connections that they do not use yet.
        let (site, answers) = (site.clone(), answers.clone());
        thread::spawn(move || request(stream, &site, &answers));
    }
}

fn request(mut stream: TcpStream, site: &Site, answers: &Sender<(Value, TcpStream)>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let path = first.split(' ').nth(1)?;
    if path == "/next" {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        answers
            .send((serde_json::from_slice(&body).ok()?, stream))
            .ok()?;
    } else if let Some((kind, body)) = site(path) {
        respond(&mut stream, kind, &body);
    } else {
        write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        )
        .ok()?;
    }
    Some(())
}

/// Sends a whole answer; a browser that has gone is noticed by who waits for it.
fn respond(stream: &mut TcpStream, kind: &str, body: &[u8]) {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .and_then(|()| stream.write_all(body))
    .and_then(|()| stream.flush())
    .ok();
}
