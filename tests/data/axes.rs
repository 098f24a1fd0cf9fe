//! Which axis of an array is which.

use crate::files::{all, error, folder, npy, options};
use afterimage::data::{DataError, DataOptions, Dataset, Layout, open};
use afterimage::shape::Shape;

fn opened(sizes: &[u64], layout: Layout, model: Option<Shape>) -> Result<Dataset, DataError> {
    let values = (0..sizes.iter().product()).map(|value| value as u8);
    let folder = folder(&[("x.npy", &npy(sizes, values))]);
    let options = DataOptions {
        layout,
        scored_by: model,
        ..options("npy", folder.path().join("x.npy"))
    };
    open(&options, 1)
}

#[test]
fn channels_are_found_by_the_sizes_of_the_axes() {
    for (sizes, shape) in [
        (&[2, 16, 12, 3][..], Shape::new(3, 16, 12)),
        (&[2, 8, 8, 1], Shape::new(1, 8, 8)),
        (&[2, 5, 6, 4], Shape::new(4, 5, 6)),
        (&[2, 3, 16, 12], Shape::new(3, 16, 12)),
        (&[2, 1, 8, 8], Shape::new(1, 8, 8)),
        (&[2, 16, 5, 5], Shape::new(16, 5, 5)),
        (&[2, 7, 1, 1], Shape::new(7, 1, 1)),
        (&[2, 1, 1, 1], Shape::new(1, 1, 1)),
    ] {
        let data = opened(sizes, Layout::Auto, None).unwrap();
        assert_eq!(data.shape(), shape, "{sizes:?}");
    }
}

#[test]
fn channels_last_become_planes() {
    let data = opened(&[2, 3, 2, 3], Layout::Nhwc, None).unwrap();
    assert_eq!(data.shape(), Shape::new(3, 3, 2));
    let sample: Vec<f32> = (0..3)
        .flat_map(|channel| (0..6).map(move |pixel| (3 * pixel + channel) as f32))
        .collect();
    assert_eq!(all(&data)[..18], sample);
    assert_eq!(all(&data)[18], 18.0);
    let note = "axes: samples, height 3, width 2, channels 3 (data.layout)";
    assert_eq!(data.notes(), [note]);
    let planes = opened(&[2, 3, 2, 3], Layout::Nchw, None).unwrap();
    assert_eq!(
        all(&planes)[..18],
        (0..18u8).map(f32::from).collect::<Vec<_>>()
    );
}

#[test]
fn what_the_sizes_leave_open_is_refused_or_told_by_the_model() {
    for sizes in [&[2, 2, 2, 3][..], &[2, 3, 3, 3], &[2, 1, 5, 1]] {
        let message = error(opened(sizes, Layout::Auto, None)).to_string();
        for flag in ["data.layout=nchw", "data.layout=nhwc"] {
            assert!(message.contains(flag), "{message}");
        }
    }
    let shape = |sizes, model| opened(sizes, Layout::Auto, Some(model)).unwrap().shape();
    assert_eq!(
        shape(&[2, 2, 2, 3], Shape::new(3, 2, 2)),
        Shape::new(3, 2, 2)
    );
    assert_eq!(
        shape(&[2, 2, 2, 3], Shape::new(2, 2, 3)),
        Shape::new(2, 2, 3)
    );
    // Also what the sizes alone would tell otherwise.
    assert_eq!(
        shape(&[2, 6, 5, 3], Shape::new(6, 5, 3)),
        Shape::new(6, 5, 3)
    );
    error(opened(
        &[2, 3, 3, 3],
        Layout::Auto,
        Some(Shape::new(3, 3, 3)),
    ));
}

#[test]
fn vectors_are_taken_as_the_images_of_the_model() {
    let data = opened(&[2, 12], Layout::Auto, Some(Shape::new(1, 3, 4))).unwrap();
    assert_eq!(data.shape(), Shape::new(1, 3, 4));
    assert!(data.notes()[0].contains("1 channel of height 3 × width 4"));
    assert_eq!(
        all(&data)[..12],
        (0..12u8).map(f32::from).collect::<Vec<_>>()
    );
    let colours = Some(Shape::new(3, 2, 2));
    let data = opened(&[2, 12], Layout::Nhwc, colours).unwrap();
    assert!(
        data.notes()[0].contains("rows, columns, channels"),
        "{:?}",
        data.notes()
    );
    let planes = [0., 3., 6., 9., 1., 4., 7., 10., 2., 5., 8., 11.];
    assert_eq!(all(&data)[..12], planes);
    let rows = ["0,1,2,3,4,5,6,7,8,9,10,11\n"; 2].concat();
    let folder = folder(&[("x.csv", rows.as_bytes())]);
    let table = DataOptions {
        layout: Layout::Nhwc,
        scored_by: colours,
        ..options("csv", folder.path().join("x.csv"))
    };
    assert_eq!(all(&open(&table, 1).unwrap())[..12], planes);
    let model = Some(Shape::new(1, 3, 5));
    let message = error(opened(&[2, 12], Layout::Auto, model)).to_string();
    assert!(message.contains("samples are 12 values"), "{message}");
}

#[test]
fn shapes_name_their_axes() {
    for (shape, said) in [
        (Shape::new(3, 16, 12), "3 channels of height 16 × width 12"),
        (Shape::new(1, 8, 8), "1 channel of height 8 × width 8"),
        (Shape::new(64, 1, 1), "64 values"),
        (Shape::new(1, 1, 1), "1 value"),
        (Shape::new(2, 1, 1), "points in the plane"),
    ] {
        assert_eq!(shape.to_string(), said);
    }
}
