//! Data of every kind, scored by models that were trained on any.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained_on};
use crate::command::{run, stderr, stdout};
use crate::setup::{npy, refused, tiny};
use afterimage::data;
use afterimage::low_level::network::twin;
use afterimage::model::Model;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

/// How far equal values may score apart.
const SAME: f64 = 1e-5;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(count: usize, side: usize, pixels: &[u8]) -> Vec<u8> {
    let sizes = [count, side, side].map(|size| (size as u32).to_be_bytes());
    [&[0, 0, 8, 3], &sizes.concat()[..], pixels].concat()
}

fn write_array<T: npyz::AutoSerialize>(
    path: &Path,
    sizes: &[u64],
    values: impl IntoIterator<Item = T>,
) {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(sizes)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    fs::write(path, bytes).unwrap();
}

fn save(folder: &TempDir, model: &Model) {
    model
        .save(&folder.path().join("model.safetensors"))
        .unwrap();
}

/// What `energy --json` says, and the energies that it writes.
#[track_caller]
fn scored(folder: &TempDir, data: &str, more: &[&str]) -> (Value, Vec<f32>) {
    let arguments = [
        "energy",
        "model.safetensors",
        data,
        "--json",
        "--out",
        "e.npy",
    ];
    let output = run(folder, &[&arguments[..], more].concat());
    let json = serde_json::from_str(stdout(&output)).unwrap();
    (json, npy(&folder.path().join("e.npy")).1)
}

#[track_caller]
fn assert_same(what: &str, found: &[f32], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let off = (f64::from(*found) - wanted).abs();
        assert!(
            off <= SAME * wanted.abs().max(1.0),
            "{what}: {found}, not {wanted}"
        );
    }
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn digits_score_alike_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let model = untrained_on("digits", &[IMAGE_LAYERS]);
    save(&folder, &model);
    let raw = data::open(
        &data::DataOptions {
            low: 0.0,
            high: 16.0,
            ..model.config().data.options()
        },
        1,
    );
    let raw: Vec<u8> = raw
        .unwrap()
        .whole()
        .first(1797)
        .iter()
        .map(|&value| value as u8)
        .collect();
    let at = |name: &str| folder.path().join(name);
    let sizes = [1797, 8, 8];
    write_array(&at("bytes.npy"), &sizes, raw.clone());
    write_array(
        &at("longs.npy"),
        &[1797, 64],
        raw.iter().map(|&v| i64::from(v)),
    );
    write_array(
        &at("doubles.npy"),
        &sizes,
        raw.iter().map(|&v| f64::from(v)),
    );
    write_array(
        &at("unit.npy"),
        &sizes,
        raw.iter().map(|&v| f32::from(v) / 16.0),
    );
    write_array(
        &at("own.npy"),
        &[1797, 1, 8, 8],
        raw.iter().map(|&v| f32::from(v) / 8.0 - 1.0),
    );
    fs::write(at("digits.idx"), idx(1797, 8, &raw)).unwrap();
    fs::write(at("digits.idx.gz"), gzip(&idx(1797, 8, &raw))).unwrap();

    let (json, embedded) = scored(&folder, "digits", &[]);
    assert_eq!(json["range"], serde_json::json!([0.0, 16.0]));
    assert_eq!(json["values"], "0…16 → −1…1 (black to white)");
    for name in [
        "bytes.npy",
        "longs.npy",
        "doubles.npy",
        "own.npy",
        "digits.idx",
        "digits.idx.gz",
    ] {
        assert_same(name, &scored(&folder, name, &[]).1, &widened(&embedded));
    }
    let unit = scored(&folder, "unit.npy", &["--set", "data.range=[0,1]"]);
    assert_same("unit.npy", &unit.1, &widened(&embedded));
    let choices = ["0…1", "data.range=[0, 1]", "[0, 16]", "[-1, 1]"];
    refused(
        &folder,
        &["energy", "model.safetensors", "unit.npy"],
        &choices,
    );
}

#[test]
fn samples_go_back_into_their_model() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = folder.path().join("bytes.npy");
    let values = (0..10 * 4 * 4).map(|value| (value * 37 % 256) as u8);
    write_array(&bytes, &[10, 4, 4], values);
    let bytes = format!("data.path={}", bytes.display());
    let vectors = folder.path().join("vectors.csv");
    fs::write(&vectors, "0.5,1,2\n3,4,-5\n").unwrap();
    let vectors = format!("data.path={}", vectors.display());
    let unit = ["data.low=0", "data.high=1"];
    let start = ["sampler.kind=langevin", "sampler.bounds=clamp"];
    let of_bytes = [
        "data.source=npy",
        &bytes,
        "data.range=[0, 255]",
        IMAGE_LAYERS,
    ];
    for (name, sets) in [
        ("digits", vec![IMAGE_LAYERS]),
        (
            "digits within 0…1",
            [&[IMAGE_LAYERS][..], &unit, &start].concat(),
        ),
        ("digits around 0…1", [&[IMAGE_LAYERS][..], &unit].concat()),
        ("bytes", of_bytes.to_vec()),
        ("bytes around 0…1", [&of_bytes[..], &unit].concat()),
        (
            "bytes as they are",
            [&of_bytes[..], &["data.low=0", "data.high=255"]].concat(),
        ),
        ("vectors", vec!["data.source=csv", &vectors, POINT_LAYERS]),
    ] {
        save(&folder, &untrained_on("digits", &sets));
        round_trip(name, &folder);
    }
    save(&folder, &untrained_on("moons", &[POINT_LAYERS]));
    round_trip("moons", &folder);
}

/// Before anything is computed: rows of a table look like one pixel each.
#[test]
fn rows_of_a_table_have_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rows.csv"), "0.5,1,2\n3,4,-5\n").unwrap();
    let rows = format!("data.path={}", folder.path().join("rows.csv").display());
    let sets = ["data.source=csv", &rows, POINT_LAYERS];
    save(&folder, &untrained_on("digits", &sets));
    for arguments in [
        &[
            "sample",
            "model.safetensors",
            "--count",
            "7",
            "--steps",
            "3",
        ][..],
        &["sample", "model.safetensors", "--out", "chain.gif"],
        &["energy", "model.safetensors", "rows.csv", "--out", "e.png"],
    ] {
        refused(&folder, arguments, &["no pictures of 3 values", ".npy"]);
    }
}

fn round_trip(name: &str, folder: &TempDir) {
    let arguments = ["--count", "7", "--steps", "3", "--out", "s.npy", "--json"];
    let output = run(
        folder,
        &[&["sample", "model.safetensors"][..], &arguments].concat(),
    );
    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    let energies = json["energies"].as_array().unwrap();
    let wanted: Vec<f64> = energies
        .iter()
        .map(|energy| energy.as_f64().unwrap())
        .collect();
    let (_, found) = scored(folder, "s.npy", &[]);
    for (found, wanted) in found.iter().zip(&wanted) {
        let off = (f64::from(*found) - wanted).abs();
        assert!(
            off <= 1e-6 * wanted.abs().max(1.0),
            "{name}: {found}, not {wanted}"
        );
    }
}

#[test]
fn what_is_named_is_what_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder, &untrained_on("digits", &[IMAGE_LAYERS]));
    write_array(
        &folder.path().join("u8.npy"),
        &[2, 8, 8],
        (0..128).map(|i| (i % 17) as u8),
    );
    fs::create_dir(folder.path().join("pics")).unwrap();
    let score = ["energy", "model.safetensors"];
    for (name, source) in [
        ("nosuch.npy", "digits"),
        ("u8.npy", "moons"),
        ("pics", "digits"),
    ] {
        let set = format!("data.source={source}");
        let arguments = [&score[..], &[name, "--set", &set]].concat();
        refused(
            &folder,
            &arguments,
            &[name, &set, "leave out --set data.source"],
        );
    }
    let path = ["u8.npy", "--set", "data.path=other.npy"];
    refused(
        &folder,
        &[&score[..], &path].concat(),
        &["u8.npy", "leave out --set data.path"],
    );
    scored(&folder, "digits", &["--set", "data.source=digits"]);
}

/// A model of digits, or of a file, with a range that its run gave.
#[test]
fn the_range_of_a_run_counts_for_its_own_data() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bytes: Vec<u8> = (0..128).map(|i| (i * 2) as u8).collect();
    write_array(&at("u8.npy"), &[2, 8, 8], bytes.clone());
    write_array(
        &at("f01.npy"),
        &[2, 8, 8],
        bytes.iter().map(|&b| f32::from(b) / 254.0),
    );
    write_array(
        &at("more.npy"),
        &[2, 8, 8],
        bytes.iter().map(|&b| f32::from(b) / 254.0),
    );
    image::GrayImage::from_raw(8, 8, bytes[..64].to_vec())
        .unwrap()
        .save(at("a.png"))
        .unwrap();
    let of = |name: &str, range: &str| {
        let path = format!("data.path={}", at(name).display());
        let sets = ["data.source=npy", &path, range, IMAGE_LAYERS];
        save(&folder, &untrained_on("digits", &sets));
    };
    of("u8.npy", "data.range=[0, 255]");
    let values = |name: &str| scored(&folder, name, &[]).0["values"].to_string();
    assert_eq!(values("digits"), "\"0…16 → −1…1 (black to white)\"");
    assert_eq!(values("a.png"), "\"0…255 → −1…1 (black to white)\"");
    of("f01.npy", "data.range=[0, 1]");
    assert_eq!(values("f01.npy"), "\"0…1 → −1…1 (data.range of the run)\"");
    assert_eq!(values("a.png"), "\"0…255 → −1…1 (black to white)\"");
    assert_eq!(values("digits"), "\"0…16 → −1…1 (black to white)\"");
    refused(
        &folder,
        &["energy", "model.safetensors", "more.npy"],
        &["0…1", "could be"],
    );
}

#[test]
fn notes_are_lines_whatever_a_file_calls_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder, &untrained_on("moons", &[POINT_LAYERS]));
    fs::write(
        folder.path().join("p.csv"),
        "\"x\nlength\",\"y\x1b[31m\"\n1,2\n",
    )
    .unwrap();
    // By its content, control characters and all, it is no text.
    let output = run(
        &folder,
        &[
            "energy",
            "model.safetensors",
            "p.csv",
            "--set",
            "data.source=csv",
        ],
    );
    let said = stderr(&output);
    assert!(
        said.contains("2 columns: x length, y\\u{1b}[31m\n"),
        "{said}"
    );
}

/// Fifty pictures as files of every kind, scored by one model, against its network in f64.
#[test]
fn fifty_pictures_score_alike_in_every_form() {
    const COUNT: usize = 50;
    const CHANNELS: usize = 3;
    const HEIGHT: usize = 10;
    const WIDTH: usize = 14;
    const PIXELS: usize = HEIGHT * WIDTH;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Pixel by pixel, as pictures are stored.
    let last: Vec<u8> = (0..COUNT * PIXELS * CHANNELS)
        .map(|i| (i * i % 251 + i / WIDTH % 5) as u8)
        .collect();
    for name in ["pngs", "deep"] {
        fs::create_dir(at(name)).unwrap();
    }
    for (index, pixels) in last.chunks(PIXELS * CHANNELS).enumerate() {
        // Natural order: 2 before 10.
        let (width, height) = (WIDTH as u32, HEIGHT as u32);
        let picture = image::RgbImage::from_raw(width, height, pixels.to_vec()).unwrap();
        picture.save(at(&format!("pngs/{index}.png"))).unwrap();
        let deep: Vec<u16> = pixels.iter().map(|&pixel| u16::from(pixel) * 257).collect();
        let deep = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(width, height, deep).unwrap();
        deep.save(at(&format!("deep/{index}.png"))).unwrap();
    }
    let mut first = Vec::new();
    for picture in last.chunks(PIXELS * CHANNELS) {
        for channel in 0..CHANNELS {
            first.extend(picture[channel..].iter().step_by(CHANNELS));
        }
    }
    let sizes = [COUNT, CHANNELS, HEIGHT, WIDTH].map(|size| size as u64);
    write_array(&at("bytes.npy"), &sizes, first.clone());
    let unit = first.iter().map(|&v| f32::from(v) / 255.0);
    write_array(&at("unit.npy"), &sizes, unit);
    let floats = first.iter().map(|&v| f32::from(v));
    write_array(&at("floats.npy"), &sizes, floats);
    let last_sizes = [sizes[0], sizes[2], sizes[3], sizes[1]];
    write_array(&at("last.npy"), &last_sizes, last.clone());
    write_array(
        &at("rows.npy"),
        &[sizes[0], (PIXELS * CHANNELS) as u64],
        last,
    );

    let path = format!("data.path={}", at("pngs").display());
    let wanted = fifty_wanted(&folder, &path, &first);
    for (name, set) in [
        ("pngs", None),
        ("deep", None),
        ("bytes.npy", None),
        ("last.npy", None),
        ("rows.npy", Some("data.layout=nhwc")),
        ("unit.npy", Some("data.range=[0, 1]")),
        ("floats.npy", Some("data.range=[0, 255]")),
        ("floats.npy", None),
    ] {
        let more = set.map_or(vec![], |set| vec!["--set", set]);
        assert_same(name, &scored(&folder, name, &more).1, &wanted);
    }
}

/// Grey ones, which IDX files hold.
#[test]
fn fifty_grey_pictures_score_alike_packed() {
    const COUNT: usize = 50;
    const SIDE: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pixels: Vec<u8> = (0..COUNT * SIDE * SIDE)
        .map(|i| (i * i % 251 + i / SIDE % 5) as u8)
        .collect();
    fs::create_dir(at("pngs")).unwrap();
    for (index, pixels) in pixels.chunks(SIDE * SIDE).enumerate() {
        let grey = image::GrayImage::from_raw(SIDE as u32, SIDE as u32, pixels.to_vec()).unwrap();
        grey.save(at(&format!("pngs/{index}.png"))).unwrap();
    }
    fs::write(at("packed"), gzip(&idx(COUNT, SIDE, &pixels))).unwrap();
    let sizes = [COUNT, SIDE, SIDE, 1].map(|size| size as u64);
    write_array(&at("last.npy"), &sizes, pixels.clone());
    let path = format!("data.path={}", at("pngs").display());
    let wanted = fifty_wanted(&folder, &path, &pixels);
    for name in ["pngs", "packed", "last.npy"] {
        assert_same(name, &scored(&folder, name, &[]).1, &wanted);
    }
}

/// Saves a model of the pictures that `path` sets, and gives the energies of `pixels` by its network in f64.
fn fifty_wanted(folder: &TempDir, path: &str, pixels: &[u8]) -> Vec<f64> {
    let model = untrained_on("digits", &["data.source=images", path, IMAGE_LAYERS]);
    save(folder, &model);
    let parameters = widened(model.parameters());
    let values: Vec<f64> = pixels
        .iter()
        .map(|&pixel| f64::from(pixel) / 127.5 - 1.0)
        .collect();
    twin(model.architecture(), &parameters).energies(&values, 50)
}

#[test]
fn pictures_are_scored_by_models_of_any_data() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..2 * 16).map(|i| (i * 8) as u8).collect();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("my-idx3-ubyte-pngs")).unwrap();
    for (name, pixels) in ["a.PNG", "b.npy"].iter().zip(pixels.chunks(16)) {
        let grey = image::GrayImage::from_raw(4, 4, pixels.to_vec()).unwrap();
        let path = at("my-idx3-ubyte-pngs").join(name);
        grey.save_with_format(path, image::ImageFormat::Png)
            .unwrap();
    }
    write_array(&at("UP.NPY"), &[2, 4, 4], pixels.clone());
    fs::write(at("x"), idx(2, 4, &pixels)).unwrap();
    for (source, name) in [
        ("npy", "UP.NPY"),
        ("idx", "x"),
        ("images", "my-idx3-ubyte-pngs"),
    ] {
        let (source, path) = (format!("data.source={source}"), at(name));
        let path = format!("data.path={}", path.display());
        save(
            &folder,
            &untrained_on("digits", &[&source, &path, IMAGE_LAYERS]),
        );
        let (json, pictures) = scored(&folder, "my-idx3-ubyte-pngs", &[]);
        assert_eq!(json["source"], "images");
        for other in ["UP.NPY", "x"] {
            assert_same(other, &scored(&folder, other, &[]).1, &widened(&pictures));
        }
    }
    let missing = [
        "energy",
        "model.safetensors",
        "x",
        "--set",
        "data.source=npy",
    ];
    refused(&folder, &missing, &["x", "--set data.source=idx"]);
}

#[test]
fn medians_are_between_the_middle_two() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder, &untrained_on("moons", &[POINT_LAYERS]));
    for count in [2usize, 3, 4, 6] {
        let points = (0..2 * count).map(|i| ((i * 7 % 11) as f32 - 5.0) / 3.0);
        write_array(&folder.path().join("p.npy"), &[count as u64, 2], points);
        let (json, mut energies) = scored(&folder, "p.npy", &[]);
        energies.sort_by(f32::total_cmp);
        let sorted = widened(&energies);
        let wanted = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        assert_eq!(json["median"].as_f64().unwrap(), wanted, "{count} points");
    }
}

#[test]
fn energies_stand_beside_their_files() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder, &untrained_on("digits", &[IMAGE_LAYERS]));
    let names = ["cats/2.png", "cats/10.png", "dogs, \"wild\"/1.png"];
    for (index, name) in names.iter().enumerate() {
        let path = folder.path().join("zoo").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(8, 8, image::Luma([index as u8 * 90]))
            .save(path)
            .unwrap();
    }
    run(
        &folder,
        &["energy", "model.safetensors", "zoo", "--out", "e.csv"],
    );
    let mut reader = csv::Reader::from_path(folder.path().join("e.csv")).unwrap();
    assert_eq!(
        reader.headers().unwrap(),
        vec!["index", "energy", "file", "class"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |index: usize| {
        rows.iter()
            .map(|row| row[index].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(column(0), ["0", "1", "2"]);
    assert_eq!(column(2), names);
    assert_eq!(column(3), ["cats", "cats", "dogs, \"wild\""]);
    let energies = scored(&folder, "zoo", &[]).1;
    assert_eq!(
        column(1),
        energies.iter().map(f32::to_string).collect::<Vec<_>>()
    );
    run(
        &folder,
        &["energy", "model.safetensors", "zoo/cats", "--out", "e.csv"],
    );
    let text = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    assert!(text.starts_with("index,energy,file\n0,"), "{text}");
}

#[test]
fn training_says_how_it_reads_and_learns_tables_as_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let points: Vec<f32> = (0..64).map(|i| ((i * 7 % 13) as f32 - 6.0) / 4.0).collect();
    write_array(&folder.path().join("p.npy"), &[32, 2], points.clone());
    let rows: Vec<String> = points
        .chunks(2)
        .map(|point| format!("{},{}\n", point[0], point[1]))
        .collect();
    fs::write(
        folder.path().join("p.csv"),
        format!("x,y\n{}", rows.concat()),
    )
    .unwrap();
    let train = |source: &str, path: &str| {
        let (source, path) = (format!("data.source={source}"), format!("data.path={path}"));
        let more = [
            "--set",
            &source,
            "--set",
            &path,
            "--out",
            path.rsplit('.').next().unwrap(),
        ];
        run(&folder, &tiny("moons", POINT_LAYERS, &more))
    };
    let said = stderr(&train("csv", "p.csv")).to_owned();
    assert!(said.contains("values    −1.5…1.5 as they are"), "{said}");
    assert!(
        said.contains("2 columns: x, y")
            && said.contains("29 samples for training, 3 held out: points in the plane"),
        "{said}"
    );
    train("npy", "p.npy");
    let metrics = |run: &str| {
        let rows = crate::checkpoint::metrics(&folder.path().join(run).join("metrics.jsonl"));
        rows.iter().map(|row| row.loss).collect::<Vec<_>>()
    };
    assert_eq!(metrics("csv"), metrics("npy"));
    let said = stderr(&run(
        &folder,
        &tiny("digits", IMAGE_LAYERS, &["--out", "digits"]),
    ))
    .to_owned();
    assert!(
        said.contains("digits, 1,617 samples for training, 180 held out: ")
            && said.contains("values    0…16 → −1…1 (black to white)"),
        "{said}"
    );
    let wrong = [
        "--set",
        "data.source=images",
        "--set",
        "data.path=p.npy",
        "--quiet",
        "--out",
        "run",
    ];
    refused(
        &folder,
        &tiny("digits", IMAGE_LAYERS, &wrong),
        &["p.npy", "--set data.source=npy"],
    );
}
