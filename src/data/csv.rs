//! Tables of numbers as text: a sample a line, its values separated by commas, semicolons or tabs.

use super::file::read_up_to;
use super::glimpse::{Glimpse, START};
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
/// Columns that are named in a note.
const MOST_NAMES: usize = 8;

/// Whether a file is text, of whose first two lines one has a field that begins as a number.
fn holds(glimpse: &Glimpse) -> bool {
    let start = &glimpse.start[..];
    if WIDE_MARKS.iter().any(|mark| start.starts_with(mark)) {
        return true;
    }
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The start can end inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n');
    let lines = text.split(['\n', '\r']);
    let mut first = lines.filter(|line| is_record(line.as_bytes())).take(2);
    let fields = |line: &str| {
        let mut fields = line.split([',', ';', '\t']);
        fields.any(|field| {
            begins_as_number(
                field
                    .trim_matches(|c: char| c == '"' || c.is_whitespace())
                    .as_bytes(),
            )
        })
    };
    text.chars().all(is_text) && first.any(fields)
}

/// Loads the table at `path`, plain or gzipped. A first line without a number names the columns; blank lines and those
/// that start with # are skipped.
fn load(path: &Path, options: &DataOptions) -> Result<Loaded, DataError> {
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let start = read_up_to(&mut file, START).map_err(|e| packed.failure(path, e))?;
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
    let mut records = 0;
    // To its end, so that a limit changes neither the scale of the values nor what is refused.
    let failed = |error: csv::Error| packed.failure(path, error.into());
    while reader.read_byte_record(&mut record).map_err(failed)? {
        // Of blanks alone.
        if record.len() == 1 && record[0].is_empty() {
            continue;
        }
        records += 1;
        if let Err(reason) = table.add(&record) {
            return Err(DataError::Table {
                path: path.into(),
                line: line_of(path, records)?,
                reason,
            });
        }
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

/// The line, from 1, of the record number `ordinal`, from 1. The reader knows where it began to look for a record, which is
/// before blank lines and comments.
fn line_of(path: &Path, ordinal: usize) -> Result<u64, DataError> {
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|e| packed.failure(path, e))?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let lines = text.split(['\n', '\r']).enumerate();
    let line = lines
        .filter(|(_, line)| is_record(line.as_bytes()))
        .nth(ordinal - 1);
    Ok(line.map_or(0, |(index, _)| index as u64 + 1))
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
        for (column, field) in record.iter().enumerate() {
            let value = value(field, self.delimiter);
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
    match number(field) {
        Some(value) if (value as f32).is_finite() => return Ok(value),
        Some(_) => {
            let text = String::from_utf8_lossy(field);
            return Err(format!(
                "`{text}` is no finite 32-bit float: remove or repair the line"
            ));
        }
        None if field.is_empty() => {
            return Err("there is no value: remove or repair the line".into());
        }
        None => {}
    }
    let text: String = String::from_utf8_lossy(field).chars().take(40).collect();
    let numbers_by = |separator: char| {
        text.split(separator)
            .all(|part| number(part.trim().as_bytes()).is_some())
    };
    let advice = if text.matches(',').count() == 1 && numbers_by(',') {
        "write decimals with a point, as in 0.5"
    } else if delimiter == b','
        && text
            .split_whitespace()
            .all(|part| number(part.as_bytes()).is_some())
    {
        "separate the columns by commas, semicolons or tabs (np.savetxt: delimiter=\",\")"
    } else {
        "keep columns of numbers alone"
    };
    Err(format!("`{text}` is not a number: {advice}"))
}
