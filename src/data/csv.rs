//! Tables of numbers as text: a sample a line, its values separated by commas, semicolons or tabs.

use super::file::read_up_to;
use super::glimpse::{Glimpse, START_OF_TABLE};
use super::loaded::{Loaded, Numbers, Values};
use super::source::{Origin, Reach, Source};
use super::unpacked::Unpacked;
use super::{DataError, DataOptions, axes};
use csv::{ByteRecord, ReaderBuilder, Trim};
use std::io::{Cursor, Read};
use std::path::Path;

pub(super) const SOURCE: Source = Source {
    name: "csv",
    shape: None,
    origin: Origin::File {
        load,
        holds,
        reach: Reach::File,
        what: "a table of text",
    },
};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Those of UTF-16.
const WIDE_MARKS: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
const COMMENT: u8 = b'#';
const UNCLOSED: &str =
    "quotes that begin here go on over the end of the line: close or remove them";
/// Columns that are named in a note.
const MOST_NAMES: usize = 8;

/// Whether a file is text, of whose first two lines one has a field of numbers. Text in other encodings than UTF-8 is
/// refused later, by what it is.
fn holds(glimpse: &Glimpse) -> bool {
    let start = &glimpse.start[..];
    if WIDE_MARKS.iter().any(|mark| start.starts_with(mark)) {
        return true;
    }
    let text = String::from_utf8_lossy(start);
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n');
    let lines = text.split(['\n', '\r']);
    let first: Vec<&str> = lines
        .filter(|line| is_record(line.as_bytes()))
        .take(2)
        .collect();
    let is_of_numbers = |field: &str| {
        let field = field.trim_matches(|c: char| c == '"' || c.is_whitespace());
        begins_as_number(field.as_bytes()) && are_numbers(field)
    };
    let has_numbers = |line: &&str| line.split([',', ';', '\t']).any(is_of_numbers);
    text.chars().all(is_text) && !is_bitmap(&first) && first.iter().any(has_numbers)
}

/// Whether the first lines of a text are those of a picture in the formats PBM, PGM and PPM: what it is, width and height.
fn is_bitmap(first: &[&str]) -> bool {
    let [kind, size] = first else {
        return false;
    };
    let sides = size.split_whitespace().map(str::parse::<u32>);
    matches!(kind.as_bytes(), [b'P', b'1'..=b'6']) && sides.flatten().count() == 2
}

/// Whether a text is of numbers, with blanks between them.
fn are_numbers(text: &str) -> bool {
    text.split_whitespace()
        .all(|part| number(part.as_bytes()).is_some())
}

/// Loads the table at `path`, plain or gzipped. A first line without a number names the columns; blank lines and those
/// that start with # are skipped.
fn load(path: &Path, options: &DataOptions) -> Result<Loaded, DataError> {
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let start = read_up_to(&mut file, START_OF_TABLE).map_err(|e| packed.failure(path, e))?;
    if WIDE_MARKS.iter().any(|mark| start.starts_with(mark)) {
        return Err(DataError::Malformed {
            path: path.into(),
            reason: "the text is UTF-16: save it as UTF-8".into(),
        });
    }
    let mut table = Table {
        delimiter: delimiter(&start),
        columns: 0,
        rows: 0,
        values: Vec::new(),
        header: None,
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(table.delimiter)
        .comment(Some(COMMENT))
        .trim(Trim::All)
        .from_reader(Cursor::new(start).chain(file));
    let mut record = ByteRecord::new();
    let mut last = 0;
    let mut is_open = false;
    // To its end, so that a limit changes neither the scale of the values nor what is refused.
    let failed = |error: csv::Error| packed.failure(path, error.into());
    while reader.read_byte_record(&mut record).map_err(failed)? {
        // Of blanks alone.
        if record.len() == 1 && record[0].is_empty() {
            continue;
        }
        if !record
            .iter()
            .all(|field| std::str::from_utf8(field).is_ok())
        {
            return Err(DataError::Malformed {
                path: path.into(),
                reason: "the text is not UTF-8: save it as UTF-8".into(),
            });
        }
        last = record.position().map_or(0, csv::Position::byte);
        is_open = record.iter().next_back().is_some_and(has_line_break);
        if let Err(reason) = table.add(&record) {
            return Err(DataError::Table {
                path: path.into(),
                line: line_of(path, last)?,
                reason,
            });
        }
    }
    if table.rows == 0 && is_open {
        return Err(DataError::Table {
            path: path.into(),
            line: line_of(path, last)?,
            reason: UNCLOSED.into(),
        });
    }
    if table.rows == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    let sizes = [table.rows, table.columns];
    let axes = axes::read(&sizes, options.layout, options.scored_by);
    let axes = axes.map_err(|reason| DataError::Malformed {
        path: path.into(),
        reason,
    })?;
    let numbered = (0..table.columns).all(|column| table.values[column] == column as f64);
    let mut notes: Vec<String> = axes.note.into_iter().collect();
    if table.header.is_none() && table.columns > 2 && numbered {
        notes.push("warning: the first line is 0, 1, 2, …, as if it numbered the columns; it was taken as a sample".into());
    }
    notes.extend(table.header);
    let mut numbers = Numbers::Doubles(table.values);
    if axes.channels_last {
        numbers = axes::channels_first(numbers, axes.shape);
    }
    Ok(Loaded {
        notes,
        ..Loaded::new(axes.shape, Values::Real(numbers))
    })
}

/// The line, from 1, of the record that the reader looked for from `byte` on, which is before blank lines and comments.
fn line_of(path: &Path, byte: u64) -> Result<u64, DataError> {
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let failed = |e| packed.failure(path, e);
    let mut before = Vec::new();
    let mut after = Vec::new();
    let mut start = file.by_ref().take(byte);
    start.read_to_end(&mut before).map_err(failed)?;
    file.read_to_end(&mut after).map_err(failed)?;
    // The reader stops between the two bytes of a line's end.
    if before.ends_with(b"\r") && after.starts_with(b"\n") {
        before.push(after.remove(0));
    }
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let ends = lines(&before).matches(['\n', '\r']).count();
    let skipped = lines(&after)
        .split(['\n', '\r'])
        .take_while(|line| !is_record(line.as_bytes()))
        .count();
    Ok((ends + skipped) as u64 + 1)
}

fn has_line_break(field: &[u8]) -> bool {
    field.contains(&b'\n') || field.contains(&b'\r')
}

/// Whether a line is neither blank nor a comment.
fn is_record(line: &[u8]) -> bool {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    !line.trim_ascii().is_empty() && line[0] != COMMENT
}

/// What was read so far.
struct Table {
    delimiter: u8,
    /// Of every line; 0 before the first one.
    columns: usize,
    rows: usize,
    values: Vec<f64>,
    /// The names of the columns, where the first line has some.
    header: Option<String>,
}

impl Table {
    /// Takes in a line: the columns' names or a sample.
    fn add(&mut self, record: &ByteRecord) -> Result<(), String> {
        let is_first = self.columns == 0;
        if is_first {
            self.columns = record.len();
        }
        if record.len() != self.columns {
            return Err(format!(
                "it has {} columns, but the lines before it have {}: give every line as many",
                record.len(),
                self.columns
            ));
        }
        if is_first && record.iter().all(is_name) {
            self.header = Some(header(record)?);
            return Ok(());
        }
        let has_names = record
            .iter()
            .any(|field| !field.is_empty() && is_name(field));
        let broken_name = record.iter().find(|field| !is_name(field));
        for (column, field) in record.iter().enumerate() {
            let mut value = value(field, self.delimiter);
            if let (Err(reason), true, Some(begins)) =
                (&mut value, is_first && has_names, broken_name)
            {
                *reason = format!(
                    "`{}` is not a number, and the line names no columns, because `{}` begins as a number: let every \
                     name begin with a letter, or remove the line",
                    String::from_utf8_lossy(field),
                    String::from_utf8_lossy(begins),
                );
            }
            if field.is_empty() && column + 1 == record.len() && column > 0 {
                value = Err(
                    "there is no value: repair the line, or remove the separators at the ends of lines".into(),
                );
            }
            let told = |reason| format!("column {}: {reason}", column + 1);
            self.values.push(value.map_err(told)?);
        }
        self.rows += 1;
        Ok(())
    }
}

/// What separates the fields of the first line that is neither blank nor a comment. A comma beside another separator is
/// one of decimals.
fn delimiter(start: &[u8]) -> u8 {
    let mut lines = start.split(|&byte| byte == b'\n' || byte == b'\r');
    let line = lines.find(|line| is_record(line));
    let line = line.unwrap_or_default();
    let known = [b';', b'\t'];
    known
        .into_iter()
        .find(|byte| line.contains(byte))
        .unwrap_or(b',')
}

/// A note of the columns' names.
fn header(record: &ByteRecord) -> Result<String, String> {
    let names: Vec<String> = record
        .iter()
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect();
    let named = names.iter().rposition(|name| !name.is_empty());
    let named = named.map_or(0, |last| last + 1);
    if named < names.len() && named > 0 && names[..named].iter().all(|name| !name.is_empty()) {
        return Err(format!(
            "column {} has no name: remove the separators at the ends of lines, or name every column",
            named + 1
        ));
    }
    if let Some(column) = names.iter().position(String::is_empty) {
        return Err(format!(
            "column {} has no name: save the table without the rows' numbers (pandas: index=False), or name every column",
            column + 1
        ));
    }
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => "",
        _ => ", …",
    };
    let shown = names[..names.len().min(MOST_NAMES)].join(", ");
    Ok(format!("{} columns: {shown}{more}", names.len()))
}

/// Whether a field of the first line can name a column: what begins as a number is one, if a broken one.
fn is_name(field: &[u8]) -> bool {
    number(field).is_none() && !begins_as_number(field)
}

fn begins_as_number(field: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_digit() || b"+-.".contains(byte);
    field.first().is_some_and(begins)
}

fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The value of a field, or why it has none.
fn value(field: &[u8], delimiter: u8) -> Result<f64, String> {
    let text: String = String::from_utf8_lossy(field).chars().take(40).collect();
    match number(field) {
        Some(value) if (value as f32).is_finite() => return Ok(value),
        Some(_) => {
            return Err(format!(
                "`{text}` is no finite 32-bit float: remove or repair the line"
            ));
        }
        None if has_line_break(field) => return Err(UNCLOSED.into()),
        None if field.is_empty() => {
            return Err("there is no value: remove or repair the line".into());
        }
        None => {}
    }
    let numbers_by = |separator: char| {
        text.split(separator)
            .all(|part| number(part.trim().as_bytes()).is_some())
    };
    let advice = if text.matches(',').count() == 1 && numbers_by(',') {
        "write decimals with a point, as in 0.5"
    } else if delimiter == b',' && are_numbers(&text) {
        "separate the columns by commas, semicolons or tabs (np.savetxt: delimiter=\",\")"
    } else {
        "keep columns of numbers alone"
    };
    Err(format!("`{text}` is not a number: {advice}"))
}
