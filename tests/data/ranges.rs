//! Which raw values stand for the lowest and the highest model value.

use crate::files::{all, error, folder, gzip, idx, npy, options};
use afterimage::data::{DataError, DataOptions, Dataset, RawRange, Scaling, TrainedScaling, open};
use afterimage::shape::Shape;

/// Options of training on `path` to model values from `low` to `high`.
fn training(source: &str, path: &str, [low, high]: [f32; 2]) -> DataOptions {
    DataOptions {
        range: RawRange::Auto,
        low,
        high,
        ..options(source, path)
    }
}

/// Opens an array of two samples of 2×2 with `change` made to the options.
fn opened(bytes: &[u8], change: impl Fn(&mut DataOptions)) -> Result<Dataset, DataError> {
    let folder = folder(&[("x.npy", bytes)]);
    let path = folder.path().join("x.npy");
    let mut options = training("npy", path.to_str().unwrap(), [-1.0, 1.0]);
    change(&mut options);
    open(&options, 1)
}

/// How a model that was trained on raw values in `raw` scores.
fn by(raw: [f32; 2], model: [f32; 2]) -> impl Fn(&mut DataOptions) {
    move |options| {
        [options.low, options.high] = model;
        options.scored_by = Some(Shape::new(1, 2, 2));
        options.trained = Some(TrainedScaling {
            scaling: Scaling::between(raw, model),
            range: RawRange::Auto,
        });
    }
}

/// How a model that took its training data as it was scores.
fn by_unscaled(options: &mut DataOptions) {
    options.scored_by = Some(Shape::new(1, 2, 2));
    options.trained = Some(TrainedScaling {
        scaling: Scaling::unscaled(-3.0, 4.0),
        range: RawRange::Auto,
    });
}

/// The refusal, which must name every one of `parts`.
#[track_caller]
fn refused(result: Result<Dataset, DataError>, parts: &[&str]) {
    let error = error(result);
    let message = error.to_string();
    assert!(matches!(error, DataError::Scale { .. }), "{message}");
    for part in parts {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

fn floats(values: [f32; 8]) -> Vec<u8> {
    npy(&[2, 2, 2], values)
}

const UNIT: [f32; 8] = [0.0, 0.25, 0.5, 0.75, 1.0, 0.0, 0.5, 1.0];

#[test]
fn whole_numbers_without_a_scale_are_refused_until_one_is_given() {
    let dark = npy(&[2, 2, 2], [0u8, 1, 0, 1, 1, 0, 1, 0]);
    let advice = ["0…1", "data.range=[0, 1]", "[0, 255]", "[-1, 1]"];
    refused(opened(&dark, |_| {}), &advice);
    let folder = folder(&[("x", &gzip(&idx([2, 2, 2], &[0, 16, 3, 4, 5, 6, 7, 8])))]);
    let path = folder.path().join("x");
    let idx = training("idx", path.to_str().unwrap(), [-1.0, 1.0]);
    let advice = ["0…16", "data.range=[0, 16]", "[0, 255]"];
    refused(open(&idx, 1), &advice);

    let scaled = |range| opened(&dark, |o| o.range = RawRange::Given(range)).unwrap();
    assert_eq!(all(&scaled([0.0, 1.0]))[..2], [-1.0, 1.0]);
    assert!(scaled([0.0, 1.0]).meaning().starts_with("0…1 → −1…1"));
    assert_eq!(all(&scaled([-1.0, 1.0]))[..2], [0.0, 1.0], "as they are");
    assert_eq!(scaled([-1.0, 1.0]).scaling().raw, None);
    refused(
        opened(&dark, |o| o.range = RawRange::Given([0.0, 0.5])),
        &["0…1", "data.range=[0, 0.5]"],
    );
}

#[test]
fn bytes_and_floats_as_large_as_bytes_are_scaled() {
    let bytes = npy(&[2, 2, 2], [0u8, 51, 0, 255, 1, 0, 1, 0]);
    let data = opened(&bytes, |_| {}).unwrap();
    assert_eq!(all(&data)[..4], [-1.0, -0.6, -1.0, 1.0]);
    assert_eq!(data.scaling().raw, Some([0.0, 255.0]));
    let data = opened(&floats([0.0, 51.0, 0.0, 255.0, 1.0, 0.0, 1.0, 0.0]), |_| {}).unwrap();
    assert_eq!(all(&data)[..4], [-1.0, -0.6, -1.0, 1.0]);
    // Other whole numbers say nothing of a full scale.
    let wide = npy(&[2, 2, 2], [0i64, 51, 0, 255, 1, 0, 1, 0]);
    refused(opened(&wide, |_| {}), &["0…255", "data.range=[0, 255]"]);
    let signed = npy(&[2, 2, 2], [-3i16, 51, 0, 300, 1, 0, 1, 0]);
    refused(opened(&signed, |_| {}), &["−3…300", "data.range=[-3, 300]"]);
}

#[test]
fn float_pictures_are_taken_where_they_fit() {
    let data = opened(&floats(UNIT), |_| {}).unwrap();
    assert_eq!(all(&data), UNIT);
    assert!(data.meaning().contains("as they are"), "{}", data.meaning());
    assert!(data.notes()[0].contains("data.range=[0, 1]"));
    let whole = opened(&floats(UNIT.map(|v| 2.0 * v - 1.0)), |_| {}).unwrap();
    assert!(whole.notes().is_empty(), "{:?}", whole.notes());
    refused(
        opened(&floats(UNIT.map(|v| 16.0 * v)), |_| {}),
        &["0…16", "data.range=[0, 16]", "[0, 255]", "[-1, 1]"],
    );
    // A table's columns have units of their own.
    let table = npy(&[4, 2], UNIT.map(|v| 170.0 * v));
    let data = opened(&table, |_| {}).unwrap();
    assert_eq!(all(&data)[1], 42.5);
    assert!(data.notes()[0].contains("warning: values reach 170"));
}

#[test]
fn a_model_of_raw_values_scores_every_form_of_them() {
    let raw = [0u8, 1, 2, 4, 8, 12, 15, 16];
    let values = raw.map(|value| f32::from(value) / 8.0 - 1.0);
    let model = by([0.0, 16.0], [-1.0, 1.0]);
    for bytes in [
        npy(&[2, 2, 2], raw),
        npy(&[2, 2, 2], raw.map(i64::from)),
        npy(&[2, 2, 2], raw.map(f64::from)),
        floats(values),
    ] {
        assert_eq!(all(&opened(&bytes, &model).unwrap()), values);
    }
    let unit = floats(raw.map(|value| f32::from(value) / 16.0));
    let choices = [
        "0…1",
        "0…16",
        "−1…1",
        "data.range=[0, 1]",
        "[0, 16]",
        "[-1, 1]",
    ];
    refused(opened(&unit, &model), &choices);
    let given = |options: &mut DataOptions| {
        model(options);
        options.range = RawRange::Given([0.0, 1.0]);
    };
    assert_eq!(all(&opened(&unit, given).unwrap()), values);

    // Bytes of another scale, floats that fit nothing, floats that resampling let overshoot.
    let bright = npy(&[2, 2, 2], raw.map(|value| value * 15));
    refused(
        opened(&bright, &model),
        &["0…240", "data.range=[0, 240]", "[0, 255]"],
    );
    refused(
        opened(&floats(UNIT.map(|v| 300.0 * v)), &model),
        &["neither", "0…300"],
    );
    let overshot = floats([-0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 15.0, 16.5]);
    refused(opened(&overshot, &model), &["neither", "−0.5…16.5"]);
    // Samples of the model pass its range.
    let samples = [-1.3, 1.2, -0.1, 0.0, 0.5, -0.7, 1.0, -1.0];
    assert_eq!(all(&opened(&floats(samples), &model).unwrap()), samples);
}

#[test]
fn a_model_without_negative_values_scores_its_own() {
    let model = by([0.0, 16.0], [0.0, 1.0]);
    assert_eq!(all(&opened(&floats(UNIT), &model).unwrap()), UNIT);
    let raw = floats(UNIT.map(|v| 16.0 * v));
    assert_eq!(all(&opened(&raw, &model).unwrap()), UNIT);
    // Where both ranges are alike, nothing tells them apart.
    let alike = by([0.0, 1.0], [0.0, 2.0]);
    refused(
        opened(&floats(UNIT), alike),
        &["data.range=[0, 1]", "[0, 2]"],
    );
}

#[test]
fn values_with_signs_are_never_raw() {
    let unit = by([0.0, 255.0], [0.0, 1.0]);
    for values in [
        [-0.1, 0.0, 0.25, 0.5, 0.75, 1.0, 1.1, 0.0],
        [-0.12, 0.0, 0.25, 0.5, 0.75, 1.0, 1.1, 0.0],
        [-0.2, 0.0, 0.25, 0.5, 0.75, 1.0, 2.3, 0.0],
    ] {
        let data = opened(&floats(values), &unit).unwrap();
        assert_eq!(all(&data), values);
        assert!(data.notes().is_empty(), "{:?}", data.notes());
    }
    let signs = by([0.0, 255.0], [-1.0, 1.0]);
    let far = [-1e30, 0.0, 0.25, 0.5, 0.75, 1.0, 1e30, 0.0];
    let data = opened(&floats(far), signs).unwrap();
    assert_eq!(all(&data), far);
    assert!(data.notes()[0].contains("warning: values −1e30…1e30 lie far from −1…1"));
}

#[test]
fn truth_values_have_no_scale_of_their_own() {
    let truth = crate::files::npy_raw(
        &crate::files::npy_header("|b1", "(2, 2, 2)"),
        &[0, 1, 1, 0, 1, 0, 0, 1],
    );
    for model in [by([0.0, 255.0], [-1.0, 1.0]), by([0.0, 1.0], [-1.0, 1.0])] {
        let given = |options: &mut DataOptions| {
            model(options);
            options.range = RawRange::Given([0.0, 1.0]);
        };
        assert_eq!(all(&opened(&truth, given).unwrap())[..2], [-1.0, 1.0]);
    }
    for refusing in [by([0.0, 255.0], [-1.0, 1.0]), by([0.0, 16.0], [0.0, 1.0])] {
        refused(
            opened(&truth, refusing),
            &["truth values", "data.range=[0, 1]"],
        );
    }
    refused(
        opened(&truth, by_unscaled),
        &["truth values", "data.range=[0, 1]"],
    );
    refused(
        opened(&truth, |_| {}),
        &["truth values", "data.range=[0, 1]"],
    );
    let alike = opened(&truth, by([0.0, 1.0], [-1.0, 1.0])).unwrap();
    assert_eq!(all(&alike)[..2], [-1.0, 1.0]);
}

#[test]
fn the_range_of_the_model_takes_no_bytes_as_they_are() {
    let unit = |options: &mut DataOptions| {
        [options.low, options.high] = [0.0, 1.0];
        options.range = RawRange::Given([0.0, 1.0]);
    };
    let bytes = [0u8, 51, 0, 255, 1, 0, 1, 0];
    for whole in [
        npy(&[2, 2, 2], bytes),
        npy(&[2, 2, 2], bytes.map(i64::from)),
    ] {
        let parts = [
            "0…255",
            "far outside data.range=[0, 1]",
            "set data.range=[0, 255]",
        ];
        refused(opened(&whole, unit), &parts);
    }
    let picture = crate::files::grey_png(2, 2, vec![0, 25, 50, 100]);
    let folder = folder(&[("a.png", &picture)]);
    let mut options = training("images", folder.path().to_str().unwrap(), [0.0, 1.0]);
    unit(&mut options);
    refused(
        open(&options, 1),
        &[
            "0…100",
            "far outside data.range=[0, 1]",
            "set data.range=[0, 255]",
        ],
    );
    let flat = opened(&npy(&[2, 2, 2], [300i64; 8]), unit);
    refused(flat, &["300…300", "set data.range=[0, 300]"]);
    let floats = opened(&npy(&[2, 2, 2], bytes.map(f32::from)), unit).unwrap();
    assert!(floats.notes()[0].contains("warning: values reach 255"));
    assert_eq!(all(&floats)[3], 255.0);
}

#[test]
fn dark_floats_are_not_advised_to_be_bytes() {
    let refusal = opened(&floats(UNIT), by([0.0, 255.0], [-1.0, 1.0]));
    let message = error(refusal).to_string();
    assert!(
        message.contains("[0, 255] if they are raw as the training data was")
            && !message.contains("dark"),
        "{message}"
    );
}

#[test]
fn the_range_of_the_run_is_named_as_its_own() {
    let given = |options: &mut DataOptions| {
        by([0.0, 1.0], [-1.0, 1.0])(options);
        options.trained.as_mut().unwrap().range = RawRange::Given([0.0, 1.0]);
    };
    let own = opened(&floats(UNIT), given).unwrap();
    assert_eq!(all(&own), UNIT.map(|value| 2.0 * value - 1.0));
    refused(
        opened(&floats(UNIT.map(|value| 4.0 * value)), given),
        &[
            "0…4",
            "outside the run's data.range=[0, 1]",
            "set data.range=[0, 4]",
        ],
    );
}

#[test]
fn a_model_of_values_as_they_were_takes_what_can_be_such() {
    let small = [0.0, 0.5, -0.5, 1.0, 2.0, -2.0, 3.0, -3.0];
    let signed = small.map(|value| 5.0 * value);
    for values in [UNIT, small, signed] {
        let data = opened(&floats(values), by_unscaled).unwrap();
        assert_eq!(data.scaling().raw, None);
        assert_eq!(all(&data), values);
        assert!(data.notes().is_empty(), "{:?}", data.notes());
    }
    let far = opened(&floats(small.map(|value| 1e30 * value)), by_unscaled).unwrap();
    assert!(far.notes()[0].contains("warning: values −3e30…3e30 lie far from −3…4"));

    let raw = [0u8, 1, 2, 4, 8, 12, 15, 16];
    let ranges = ["0…16", "−3…4", "data.range=[0, 16]"];
    for bytes in [npy(&[2, 2, 2], raw), npy(&[2, 2, 2], raw.map(i64::from))] {
        refused(opened(&bytes, by_unscaled), &ranges);
    }
    refused(
        opened(&npy(&[2, 2, 2], raw.map(f32::from)), by_unscaled),
        &ranges,
    );
    for values in [
        npy(&[2, 2, 2], raw.map(|value| i64::from(value) * 255 / 16)),
        npy(&[2, 2, 2], raw.map(|value| f64::from(value) * 255.0 / 16.0)),
        npy(&[2, 2, 2], raw.map(|value| (u16::from(value) * 255) / 16)),
        npy(&[2, 2, 2], [0u8, 1, 2, 4, 8, 12, 15, 255]),
        // Vectors of a model of pictures.
        npy(&[2, 4], raw.map(|value| f32::from(value) * 255.0 / 16.0)),
    ] {
        refused(opened(&values, by_unscaled), &["data.range=[0, 255]"]);
    }
    // A table's columns have units of their own.
    let vectors = |options: &mut DataOptions| {
        by_unscaled(options);
        options.scored_by = Some(Shape::new(4, 1, 1));
    };
    let table = opened(&npy(&[2, 4], raw.map(f32::from)), vectors).unwrap();
    assert_eq!(all(&table), raw.map(f32::from));
    assert!(table.notes().is_empty());
    let table = opened(
        &npy(&[2, 4], raw.map(|value| f32::from(value) * 50.0)),
        vectors,
    );
    assert!(table.unwrap().notes()[0].contains("warning: values 0…800 lie far from −3…4"));
    let digits = DataOptions {
        path: String::new(),
        ..training("digits", "", [-1.0, 1.0])
    };
    let mut scored = digits.clone();
    by_unscaled(&mut scored);
    scored.scored_by = Some(Shape::new(1, 8, 8));
    refused(open(&scored, 1), &["data.range=[0, 16]"]);
}

#[test]
fn pictures_follow_the_range_of_the_run_if_it_gave_one() {
    let picture = crate::files::grey_png(2, 2, vec![0, 25, 50, 100]);
    let folder = folder(&[("a.png", &picture)]);
    let mut options = training("images", folder.path().to_str().unwrap(), [-1.0, 1.0]);
    options.range = RawRange::Given([0.0, 100.0]);
    let trained = open(&options, 1).unwrap();
    assert_eq!(all(&trained), [-1.0, -0.5, 0.0, 1.0]);
    let scored = |range| {
        let mut options = options.clone();
        options.range = RawRange::Auto;
        options.scored_by = Some(Shape::new(1, 2, 2));
        options.trained = Some(TrainedScaling {
            scaling: trained.scaling(),
            range,
        });
        all(&open(&options, 1).unwrap())
    };
    assert_eq!(scored(RawRange::Given([0.0, 100.0])), all(&trained));
    // Otherwise black and white are those of pictures, whatever whole numbers the model learned.
    assert_eq!(scored(RawRange::Auto)[3], (100.0 / 127.5 - 1.0f64) as f32);
}

#[test]
fn a_limit_changes_no_scale() {
    let bytes = npy(&[2, 2, 2], [0u8, 1, 2, 3, 255, 0, 0, 0]);
    let data = opened(&bytes, |options| options.limit = 1).unwrap();
    assert_eq!(data.scaling().raw, Some([0.0, 255.0]));
    assert_eq!(data.len(), Some(1));
    let table = folder(&[("a.csv", b"0,1\n2,16\n")]);
    let mut options = training(
        "csv",
        table.path().join("a.csv").to_str().unwrap(),
        [-1.0, 1.0],
    );
    options.limit = 1;
    let data = open(&options, 1).unwrap();
    assert!(
        data.meaning().starts_with("0…16 as they are"),
        "{}",
        data.meaning()
    );
    assert_eq!(all(&data), [0.0, 1.0]);
}

#[test]
fn generated_sets_have_their_own_scale() {
    let mut moons = training("moons", "", [-1.0, 1.0]);
    assert!(open(&moons, 1).unwrap().meaning().contains("as they are"));
    moons.range = RawRange::Given([0.0, 1.0]);
    assert!(matches!(
        error(open(&moons, 1)),
        DataError::UnreadRange { .. }
    ));
}

#[test]
fn whole_numbers_and_floats_of_every_size_are_read() {
    macro_rules! same {
        ($($type:ty),*) => {$(
            let bytes = npy(&[2, 2, 2], [0, 1, 2, 4, 8, 12, 15, 16].map(|v: u8| v as $type));
            let data = opened(&bytes, |o| {
                o.range = RawRange::Given([0.0, 16.0]);
                [o.low, o.high] = [0.0, 16.0];
            });
            assert_eq!(all(&data.unwrap()), [0., 1., 2., 4., 8., 12., 15., 16.], stringify!($type));
        )*};
    }
    same!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);
    let half = [0x3c00u16, 0xc000, 0, 0x3800]
        .map(u16::to_le_bytes)
        .concat();
    let header = crate::files::npy_header("<f2", "(1, 2, 2)");
    let data = opened(&crate::files::npy_raw(&header, &half), |o| {
        o.range = RawRange::Given([-1.0, 1.0])
    });
    assert_eq!(all(&data.unwrap()), [1.0, -2.0, 0.0, 0.5]);
    let header = crate::files::npy_header("|b1", "(1, 2, 2)");
    let truth = |last| {
        opened(&crate::files::npy_raw(&header, &[0, 1, 1, last]), |o| {
            o.range = RawRange::Given([0.0, 1.0])
        })
    };
    assert_eq!(all(&truth(0).unwrap()), [-1.0, 1.0, 1.0, -1.0]);
    assert!(matches!(error(truth(2)), DataError::Malformed { .. }));
}
