//! Keys, read as the terminal sends them.
//!
//! Not by crossterm's events: in version 0.29 these wait for ever in a terminal that has gone, and leave a key that is pressed while
//! the terminal changes its size until the next one.

use std::time::Duration;

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Key {
    Left,
    Right,
    Escape,
    Letter(char),
    /// Ctrl-C.
    Interrupt,
}

/// What has been pressed.
pub(in crate::cli) enum Pressed {
    Keys(Vec<Key>),
    /// Nothing will be any more: the terminal has gone.
    Gone,
}

/// The rest of a sequence comes within this time of its beginning.
#[cfg(unix)]
const REST: Duration = Duration::from_millis(25);

/// Waits for keys, so long at most.
#[cfg(unix)]
pub(in crate::cli) fn pressed(wait: Duration) -> Pressed {
    let mut bytes = Vec::new();
    let mut wait = wait;
    while comes(wait) {
        let mut buffer = [0; 64];
        match rustix::io::read(std::io::stdin(), &mut buffer) {
            Ok(length @ 1..) => bytes.extend(&buffer[..length]),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Ok(0) | Err(_) => return Pressed::Gone,
        }
        if bytes.last() != Some(&ESCAPE) {
            break;
        }
        wait = REST;
    }
    Pressed::Keys(keys(&bytes))
}

/// Whether there is something to be read before so long has passed, be it the end.
#[cfg(unix)]
fn comes(wait: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = std::io::stdin();
    let mut readable = [PollFd::new(&stdin, PollFlags::IN)];
    let wait = Timespec::try_from(wait).ok();
    // A signal that interrupts it is none.
    poll(&mut readable, wait.as_ref()).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
pub(in crate::cli) fn pressed(wait: Duration) -> Pressed {
    use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
    let is_there = poll(wait);
    let event = match is_there {
        Ok(false) => return Pressed::Keys(Vec::new()),
        Ok(true) => read(),
        Err(_) => return Pressed::Gone,
    };
    let key = match event {
        Ok(Event::Key(key)) if key.kind == KeyEventKind::Press => match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
            KeyCode::Char(letter) => Key::Letter(letter),
            KeyCode::Left | KeyCode::BackTab => Key::Left,
            KeyCode::Right | KeyCode::Tab => Key::Right,
            KeyCode::Esc => Key::Escape,
            _ => return Pressed::Keys(Vec::new()),
        },
        Ok(_) => return Pressed::Keys(Vec::new()),
        Err(_) => return Pressed::Gone,
    };
    Pressed::Keys(vec![key])
}

#[cfg(any(unix, test))]
const ESCAPE: u8 = 0x1b;

/// The keys of what a terminal sends (ECMA-48, and `xterm`'s ctlseqs for the arrows); what means nothing here is left out.
#[cfg(any(unix, test))]
fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        let key = match (*first, after) {
            (ESCAPE, [b'[' | b'O', after @ ..]) => {
                // Parameters, and the byte that says which key it is.
                let parameters = after.iter().take_while(|byte| **byte < 0x40).count();
                let last = after.get(parameters);
                rest = after.get(parameters + 1..).unwrap_or_default();
                match last {
                    Some(b'C') => Key::Right,
                    Some(b'D' | b'Z') => Key::Left,
                    _ => continue,
                }
            }
            (ESCAPE, _) => Key::Escape,
            (0x03, _) => Key::Interrupt,
            (b'\t', _) => Key::Right,
            (byte, _) if byte.is_ascii_graphic() => Key::Letter(byte.into()),
            _ => continue,
        };
        keys.push(key);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_keys() {
        let all = b"q\x1b[C\x1bOD\x1b[1;5C\x1b[Zl\x1b[5~\t\xc3\xa4\x03\x1b";
        use Key::{Escape, Interrupt, Left, Letter, Right};
        assert_eq!(
            keys(all),
            [
                Letter('q'),
                Right,
                Left,
                Right,
                Left,
                Letter('l'),
                Right,
                Interrupt,
                Escape
            ]
        );
        // What is cut off means nothing.
        assert_eq!(keys(b"\x1b[1;"), []);
    }
}
