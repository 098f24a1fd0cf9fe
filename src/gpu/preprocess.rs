//! The preprocessor for WGSL: its directives, each alone on its line.
//!
//! - `#import "name"` is replaced by the text of this name among those that the kernel shares with others, once
//!   however often it is asked for.
//! - `#import NAME`, without quotes, is replaced by the text that the Rust side gives under this name.
//! - `#const NAME: u32` is replaced by `const NAME: u32 = value;` with the value the Rust side gives; a constant
//!   that is declared and not given, or given and not declared, is an error. Constants and not `override`s, because
//!   WGSL allows no override in the size of a private array, and because loops over them unroll.
//! - `#const NAME: format` makes `$NAME` stand for that format of images in the lines that follow, since WGSL has no
//!   constants of that kind.
//! - `#if NAME`, `#else`, `#endif` keep or drop lines by a `bool` constant, declared with `#const NAME: bool`.
//!   Conditions nest.
//! - `#repeat kx KERNEL_WIDTH` … `#end` writes the lines between them once for each value of `$kx` from 0 up to that
//!   `u32` constant (or number) less one, and `#repeat kx down KERNEL_WIDTH` from there down to 0. Software drivers give
//!   up unrolling loops with large bodies and put their registers into memory: measured on lavapipe, 29 against 70
//!   GFLOP/s (docs/kernels.md). Inside names, `${kx}` is the bare number, as in `pass_${kx}`, and `${kx-1}` or `${kx+1}`
//!   a neighbour's; constants and directives may use it too.

use super::kernel::Constant;
use std::borrow::Cow;
use std::collections::HashSet;

/// Why a shader's text could not be put together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreprocessError {
    #[error("line {line}: no shared file is called {name}")]
    UnknownImport { line: usize, name: String },
    #[error("line {line}: constant {name} is declared but no value of type {wanted} was given")]
    MissingConstant {
        line: usize,
        name: String,
        wanted: String,
    },
    #[error("constant {name} was given but is not declared")]
    UndeclaredConstant { name: String },
    #[error("line {line}: {directive} without its #if")]
    Unmatched {
        line: usize,
        directive: &'static str,
    },
    #[error("#if without #endif, or #repeat without #end")]
    Unclosed,
    #[error("line {line}: unknown directive '{text}'")]
    UnknownDirective { line: usize, text: String },
    #[error("line {line}: #repeat needs a name and a u32 constant or number, not '{text}'")]
    BadRepeat { line: usize, text: String },
}

/// Expands the directives in `source`, which may import the texts `shared` with it by their names, under `constants`: the
/// text for the compiler.
pub fn expand(
    source: &str,
    shared: &[(&str, &str)],
    constants: &[(Cow<'static, str>, Constant)],
) -> Result<String, PreprocessError> {
    let mut state = Expansion {
        shared,
        constants,
        used: HashSet::new(),
        imported: Vec::new(),
        text: String::new(),
    };
    state.file(source)?;
    let is_unused = |(name, _): &&(Cow<str>, Constant)| !state.used.contains(name.as_ref());
    match constants.iter().find(is_unused) {
        Some((name, _)) => Err(PreprocessError::UndeclaredConstant {
            name: name.to_string(),
        }),
        None => Ok(state.text),
    }
}

struct Expansion<'a> {
    shared: &'a [(&'a str, &'a str)],
    constants: &'a [(Cow<'static, str>, Constant)],
    used: HashSet<&'a str>,
    imported: Vec<String>,
    text: String,
}

impl<'a> Expansion<'a> {
    /// The constant called `name`, if it was given.
    fn given(&self, name: &str) -> Option<&'a (Cow<'static, str>, Constant)> {
        self.constants.iter().find(|(known, _)| *known == name)
    }

    fn file(&mut self, source: &str) -> Result<(), PreprocessError> {
        let lines: Vec<(usize, String)> = source
            .lines()
            .enumerate()
            .map(|(index, text)| (index + 1, text.to_owned()))
            .collect();
        self.lines(&lines)
    }

    fn lines(&mut self, lines: &[(usize, String)]) -> Result<(), PreprocessError> {
        // One entry per open #if: whether its present branch is kept.
        let mut open: Vec<bool> = Vec::new();
        let mut position = 0;
        while position < lines.len() {
            let (line, raw) = (lines[position].0, lines[position].1.as_str());
            position += 1;
            let trimmed = raw.trim();
            let kept = open.iter().all(|&branch| branch);
            if !trimmed.starts_with('#') {
                if kept {
                    let line = self.with_formats(raw);
                    self.text.push_str(&line);
                    self.text.push('\n');
                }
                continue;
            }
            let (directive, rest) = trimmed
                .split_once(char::is_whitespace)
                .unwrap_or((trimmed, ""));
            let rest = rest.trim();
            let unmatched = |directive| PreprocessError::Unmatched { line, directive };
            match directive {
                "#if" => {
                    let value = !kept || self.flag(rest, line)?;
                    open.push(value);
                }
                "#else" => {
                    let branch = open.last_mut().ok_or(unmatched("#else"))?;
                    *branch = !*branch;
                }
                "#endif" => {
                    open.pop().ok_or(unmatched("#endif"))?;
                }
                "#repeat" => {
                    let length =
                        body_length(&lines[position..]).ok_or(PreprocessError::Unclosed)?;
                    if kept {
                        self.repeat(rest, line, &lines[position..position + length])?;
                    }
                    position += length + 1;
                }
                "#end" => return Err(unmatched("#end")),
                "#import" if kept && rest.starts_with('"') => {
                    self.import(rest.trim_matches('"'), line)?;
                }
                "#import" if kept => self.text(rest, line)?,
                "#const" if kept => self.constant(rest, line)?,
                "#import" | "#const" => {}
                _ => {
                    return Err(PreprocessError::UnknownDirective {
                        line,
                        text: trimmed.into(),
                    });
                }
            }
        }
        match open.is_empty() {
            true => Ok(()),
            false => Err(PreprocessError::Unclosed),
        }
    }

    fn repeat(
        &mut self,
        arguments: &str,
        line: usize,
        body: &[(usize, String)],
    ) -> Result<(), PreprocessError> {
        let wrong = || PreprocessError::BadRepeat {
            line,
            text: arguments.into(),
        };
        let (name, count) = arguments
            .split_once(char::is_whitespace)
            .ok_or_else(wrong)?;
        let (is_down, count) = match count.trim().strip_prefix("down ") {
            Some(count) => (true, count.trim()),
            None => (false, count.trim()),
        };
        let count = match self.given(count) {
            Some((_, Constant::U32(value))) => *value,
            _ => count.parse().map_err(|_| wrong())?,
        };
        for turn in 0..count {
            let value = if is_down { count - 1 - turn } else { turn };
            let copy: Vec<_> = body
                .iter()
                .map(|(line, text)| (*line, substituted(text, name, value)))
                .collect();
            self.lines(&copy)?;
        }
        Ok(())
    }

    fn import(&mut self, name: &str, line: usize) -> Result<(), PreprocessError> {
        if self.imported.iter().any(|seen| seen == name) {
            return Ok(());
        }
        self.imported.push(name.into());
        match self.shared.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => self.file(text),
            None => Err(PreprocessError::UnknownImport {
                line,
                name: name.into(),
            }),
        }
    }

    fn text(&mut self, name: &str, line: usize) -> Result<(), PreprocessError> {
        match self.given(name) {
            Some((known, Constant::Text(text))) => {
                self.used.insert(known.as_ref());
                self.file(text)
            }
            _ => Err(missing(line, name, "text")),
        }
    }

    fn constant(&mut self, declaration: &str, line: usize) -> Result<(), PreprocessError> {
        let (name, kind) = declaration.split_once(':').unwrap_or((declaration, ""));
        let (name, kind) = (name.trim(), kind.trim());
        match self.given(name) {
            Some((known, value)) if kind_of(*value) == kind => {
                self.used.insert(known.as_ref());
                if !matches!(value, Constant::Format(_)) {
                    self.text += &format!("const {name}: {kind} = {value};\n");
                }
                Ok(())
            }
            _ => Err(missing(line, name, kind)),
        }
    }

    fn with_formats<'t>(&self, line: &'t str) -> Cow<'t, str> {
        let mut line = Cow::Borrowed(line);
        for (name, value) in self.constants {
            if let Constant::Format(format) = value
                && self.used.contains(name.as_ref())
                && line.contains('$')
            {
                line = line.replace(&format!("${name}"), format.name()).into();
            }
        }
        line
    }

    fn flag(&self, name: &str, line: usize) -> Result<bool, PreprocessError> {
        match self.given(name) {
            Some((_, Constant::Bool(value))) => Ok(*value),
            _ => Err(missing(line, name, "bool")),
        }
    }
}

fn missing(line: usize, name: &str, wanted: &str) -> PreprocessError {
    PreprocessError::MissingConstant {
        line,
        name: name.into(),
        wanted: wanted.into(),
    }
}

/// `text` with `$name` and `${name}`, the latter with or without something added, replaced by what they stand for.
fn substituted(text: &str, name: &str, value: u32) -> String {
    let open = format!("${{{name}");
    let mut parts = text.split(&open);
    let mut result = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let sum = part.split_once('}').and_then(|(added, rest)| {
            let added = if added.is_empty() {
                0
            } else {
                added.parse::<i64>().ok()?
            };
            Some((i64::from(value) + added, rest))
        });
        match sum {
            Some((sum, rest)) => result.push_str(&format!("{sum}{rest}")),
            // A longer name that begins alike.
            None => result.push_str(&format!("{open}{part}")),
        }
    }
    result.replace(&format!("${name}"), &format!("{value}u"))
}

/// How many lines there are before the #end that closes the #repeat just opened.
fn body_length(lines: &[(usize, String)]) -> Option<usize> {
    let mut depth = 0;
    for (index, (_, text)) in lines.iter().enumerate() {
        let text = text.trim();
        if text == "#end" && depth == 0 {
            return Some(index);
        }
        depth += usize::from(text.starts_with("#repeat"));
        depth -= usize::from(text == "#end");
    }
    None
}

fn kind_of(value: Constant) -> &'static str {
    match value {
        Constant::U32(_) => "u32",
        Constant::F32(_) => "f32",
        Constant::Bool(_) => "bool",
        Constant::Format(_) => "format",
        Constant::Text(_) => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::ImageFormat;

    fn expand(
        source: &str,
        constants: &[(&'static str, Constant)],
    ) -> Result<String, PreprocessError> {
        let owned: Vec<_> = constants
            .iter()
            .map(|&(name, value)| (name.into(), value))
            .collect();
        super::expand(source, &[("double", "twice\n#import \"double\"")], &owned)
    }

    #[test]
    fn constants_and_branches_are_expanded() {
        let source = "#const N: u32\n#const WIDE: bool\n#if WIDE\nwide\n#else\nnarrow\n#endif\nend";
        let text = |wide| {
            expand(
                source,
                &[("N", Constant::U32(3)), ("WIDE", Constant::Bool(wide))],
            )
            .unwrap()
        };
        assert_eq!(
            text(true),
            "const N: u32 = 3u;\nconst WIDE: bool = true;\nwide\nend\n"
        );
        assert_eq!(
            text(false),
            "const N: u32 = 3u;\nconst WIDE: bool = false;\nnarrow\nend\n"
        );
    }

    #[test]
    fn repeats_nest() {
        let source = "#const N: u32\n#repeat i N\n#repeat j 2\na[$i][$j];\n#end\n#end";
        let text = expand(source, &[("N", Constant::U32(2))]).unwrap();
        assert_eq!(
            text,
            "const N: u32 = 2u;\na[0u][0u];\na[0u][1u];\na[1u][0u];\na[1u][1u];\n"
        );
        assert_eq!(
            expand("#repeat i down 2\n$i\n#end", &[]).unwrap(),
            "1u\n0u\n"
        );
        assert!(expand("#repeat i N\n#end", &[]).is_err());
        assert_eq!(
            expand("#repeat i 2", &[]).unwrap_err(),
            PreprocessError::Unclosed
        );
    }

    #[test]
    fn repeats_number_names_constants_and_conditions() {
        let source = "#repeat p 2\n#const N_${p}: u32\n#repeat q N_${p}\nf_${p}_${q}(g_${p-1}, $p, ${pq});\n#end\n\
                      #const LAST_${p}: bool\n#if LAST_${p}\nh_${p+10};\n#endif\n#end";
        let constants = [
            ("N_0", Constant::U32(1)),
            ("N_1", Constant::U32(2)),
            ("LAST_0", Constant::Bool(false)),
            ("LAST_1", Constant::Bool(true)),
        ];
        assert_eq!(
            expand(source, &constants).unwrap(),
            "const N_0: u32 = 1u;\nf_0_0(g_-1, 0u, ${pq});\nconst LAST_0: bool = false;\n\
             const N_1: u32 = 2u;\nf_1_0(g_0, 1u, ${pq});\nf_1_1(g_0, 1u, ${pq});\nconst LAST_1: bool = true;\nh_11;\n"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let missing = expand("#const N: u32", &[]).unwrap_err();
        assert!(missing.to_string().contains("N"), "{missing}");
        let wrong_type = expand("#const N: u32", &[("N", Constant::F32(1.0))]).unwrap_err();
        assert!(matches!(
            wrong_type,
            PreprocessError::MissingConstant { .. }
        ));
        let undeclared = expand("", &[("N", Constant::U32(1))]).unwrap_err();
        assert!(matches!(
            undeclared,
            PreprocessError::UndeclaredConstant { .. }
        ));
        assert!(expand("#import \"nothing\"", &[]).is_err());
        assert!(expand("#endif", &[]).is_err());
        assert!(expand("#wrong", &[]).is_err());
        let unclosed = expand("#const A: bool\n#if A", &[("A", Constant::Bool(true))]).unwrap_err();
        assert_eq!(unclosed, PreprocessError::Unclosed);
    }

    #[test]
    fn shared_texts_are_imported_once() {
        let source = "#import \"double\"\n#import \"double\"\nend";
        assert_eq!(expand(source, &[]).expect("expands"), "twice\nend\n");
    }

    #[test]
    fn texts_are_put_where_they_are_imported() {
        let source = "#const N: u32\n#import BODY\nend";
        let given = [
            ("N", Constant::U32(2)),
            ("BODY", Constant::Text("#repeat i N\na$i\n#end")),
        ];
        assert_eq!(
            expand(source, &given).expect("expands"),
            "const N: u32 = 2u;\na0u\na1u\nend\n"
        );
        for other in [vec![], vec![("BODY", Constant::U32(1))]] {
            let error = expand("#import BODY", &other).unwrap_err();
            assert!(
                matches!(error, PreprocessError::MissingConstant { line: 1, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn formats_are_put_where_they_are_named() {
        let source = "before $F\n#const F: format\ntexture_storage_2d<$F, read> to_$F($p)\n";
        let given = [("F", Constant::Format(ImageFormat::F16))];
        assert_eq!(
            expand(source, &given).expect("expands"),
            "before $F\ntexture_storage_2d<rgba16float, read> to_rgba16float($p)\n"
        );
        assert!(matches!(
            expand(source, &[]),
            Err(PreprocessError::MissingConstant { line: 2, .. })
        ));
        assert!(expand(source, &[("F", Constant::U32(1))]).is_err());
    }
}
