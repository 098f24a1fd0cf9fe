//! Tables of numbers as text.

use crate::files::{all, error, folder, gzip, load_bytes, npy, options};
use afterimage::data::{DataError, DataOptions, Dataset, RawRange, open};
use afterimage::shape::Shape;

fn table(text: &str) -> Result<Dataset, DataError> {
    load_bytes("csv", text.as_bytes())
}

#[test]
fn a_table_of_points_is_the_array_of_them() {
    let points = [0.5f32, -1.25, 3.0, 1e-3, -0.1, 2.0];
    let text = "\u{feff}# made by hand\r\nx;y\r\n0.5; -1.25\r\n\r\n3;1e-3\r\n-0.1;2\r\n";
    let folder = folder(&[
        ("points.csv", text.as_bytes()),
        ("points.tsv.gz", &gzip(text.replace(';', "\t").as_bytes())),
        ("points.txt", text.replace(';', ",").as_bytes()),
        ("points.npy", &npy(&[3, 2], points)),
    ]);
    let read = |source: &str, name: &str| {
        let options = DataOptions {
            range: RawRange::Auto,
            low: -1.0,
            high: 1.0,
            ..options(source, folder.path().join(name))
        };
        open(&options, 5).unwrap()
    };
    let mut array = read("npy", "points.npy");
    for name in ["points.csv", "points.tsv.gz", "points.txt"] {
        let mut table = read("csv", name);
        assert_eq!(table.shape(), Shape::new(2, 1, 1));
        assert_eq!(all(&table), points, "{name}");
        assert_eq!(table.scaling(), array.scaling());
        assert_eq!(table.notes(), ["2 columns: x, y"]);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        table.batch(3, 5, &mut ours);
        array.batch(3, 5, &mut theirs);
        assert_eq!(ours, theirs);
    }
}

#[test]
fn one_column_or_many_make_a_sample() {
    assert_eq!(table("1\n2\n\n  \n3").unwrap().shape(), Shape::new(1, 1, 1));
    assert_eq!(all(&table("1\n2\n\n  \n3").unwrap()), [1.0, 2.0, 3.0]);
    assert_eq!(table("\"1\",2,3\n").unwrap().shape(), Shape::new(3, 1, 1));
}

#[test]
fn refusals_name_line_and_column() {
    for (text, line, said) in [
        ("x,y\n1,2\n3,four\n", 3, "column 2: `four` is not a number"),
        ("1,2\n# note\n\n3,\n", 4, "column 2: there is no value"),
        ("1,2\n3,nan\n", 2, "column 2: `nan` is no finite"),
        ("1,2\n1e39,0\n", 2, "column 1: `1e39` is no finite"),
        (
            "1,2\n3,4\n5\n",
            3,
            "it has 1 columns, but the lines before it have 2",
        ),
        (
            "x,y,z\n3,4\n",
            2,
            "it has 2 columns, but the lines before it have 3",
        ),
        (
            "0,5;1,5\n2,5;3\n",
            1,
            "column 1: `0,5` is not a number: write decimals with a point",
        ),
        ("1 2\n3 4\n", 1, "separate the columns by commas"),
        (",x\n0,1.5\n", 1, "column 1 has no name"),
        ("1,x\n2,3\n", 1, "column 2: `x` is not a number"),
        ("label,1x1,1x2\n5,0,1\n", 1, "`1x1` begins as a number"),
        (
            "1,2,\n3,4,\n",
            1,
            "remove the separators at the ends of lines",
        ),
        (
            "x,y,,\n1,2,,\n",
            1,
            "column 3 has no name: remove the separators at the ends",
        ),
        ("\"x\ny\",z\n\n# note\n1,2\n3,four\n", 6, "column 2: `four`"),
        (
            "\"x\r\ny\",z\r\n1,2\r\n\r\n3,four\r\n",
            5,
            "column 2: `four`",
        ),
        ("x,y\r1,2\r3,four\r", 3, "column 2: `four`"),
        (
            "x,y\n1,\"2\n3,4\n",
            2,
            "column 2: quotes that begin here go on",
        ),
        ("\"x,y\n1,2\n", 1, "quotes that begin here go on"),
    ] {
        let error = error(table(text));
        let message = error.to_string();
        assert!(message.contains(said), "{message}");
        assert!(
            matches!(error, DataError::Table { line: found, .. } if found == line),
            "{message}"
        );
    }
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("1,2\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert!(
        error(load_bytes("csv", &wide))
            .to_string()
            .contains("UTF-8")
    );
    for latin in [&b"gr\xf6\xdfe,y\n1,2\n"[..], b"x,y\n1,2\xb5\n"] {
        let message = error(load_bytes("csv", latin)).to_string();
        assert!(message.contains("not UTF-8: save it as UTF-8"), "{message}");
    }
    for text in ["", "x,y\n", "# 1\n"] {
        assert!(
            matches!(error(table(text)), DataError::Empty { .. }),
            "{text:?}"
        );
    }
    let cut = &gzip(b"1,2\n3,4\n")[..20];
    assert!(matches!(
        error(load_bytes("csv", cut)),
        DataError::Gzip { .. }
    ));
}

#[test]
fn a_limit_cuts_what_was_read_whole() {
    let folder = folder(&[
        ("a.csv", b"1,2\n3,4\n5,6\n"),
        ("b.csv", b"1,2\n3,4\nbad,5\n"),
    ]);
    let limited = |name: &str| {
        let options = DataOptions {
            limit: 2,
            ..options("csv", folder.path().join(name))
        };
        open(&options, 1)
    };
    assert_eq!(all(&limited("a.csv").unwrap()), [1.0, 2.0, 3.0, 4.0]);
    assert!(matches!(
        error(limited("b.csv")),
        DataError::Table { line: 3, .. }
    ));
}

#[test]
fn numbered_columns_are_warned_about() {
    let data = table("0,1,2\n5,6,7\n").unwrap();
    assert!(data.notes()[0].contains("warning"), "{:?}", data.notes());
}
