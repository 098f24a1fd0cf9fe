//! Which axis of an array is which.

use super::loaded::Numbers;
use super::{Layout, Shape};

/// How the axes of an array after that of the samples are read.
#[derive(Debug, PartialEq)]
pub(super) struct Axes {
    /// Of one sample.
    pub(super) shape: Shape,
    /// Whether the channels lie innermost, pixel by pixel.
    pub(super) channels_last: bool,
    /// What was decided, where there was something to decide.
    pub(super) note: Option<String>,
}

/// Reads the axes of `sizes`, the first of which counts samples. `model` is the shape of the samples of the model that will
/// score them; it decides what the sizes leave open.
pub(super) fn read(sizes: &[usize], layout: Layout, model: Option<Shape>) -> Result<Axes, String> {
    let plain = |shape| Axes {
        shape,
        channels_last: false,
        note: None,
    };
    match *sizes {
        [_, values] => Ok(match model {
            Some(model) if model.len() == values && model != Shape::new(values, 1, 1) => {
                let channels_last = layout == Layout::Nhwc;
                let order = match channels_last {
                    true => "rows, columns, channels",
                    false => "channels, rows, columns",
                };
                Axes {
                    shape: model,
                    channels_last,
                    note: Some(format!(
                        "axes: {values} values a sample, taken as {model}: {order} (data.layout)"
                    )),
                }
            }
            _ => plain(Shape::new(values, 1, 1)),
        }),
        [_, height, width] => Ok(plain(Shape::new(1, height, width))),
        [_, a, b, c] => pictures([a, b, c], layout, model),
        [] | [_] => Err("the array has no axis beside its samples: give it the shape N×D, N×H×W, N×C×H×W or N×H×W×C".into()),
        _ => Err(format!(
            "the array has {} axes: give it the shape N×D, N×H×W, N×C×H×W or N×H×W×C",
            sizes.len()
        )),
    }
}

/// Reads the axes of samples of `sizes`, the first or the last of which counts channels.
fn pictures([a, b, c]: [usize; 3], layout: Layout, model: Option<Shape>) -> Result<Axes, String> {
    let (first, last) = (Shape::new(a, b, c), Shape::new(c, a, b));
    let channels_last = match (layout, model) {
        (Layout::Nchw, _) => false,
        (Layout::Nhwc, _) => true,
        (Layout::Auto, Some(model)) if (first == model) != (last == model) => last == model,
        (Layout::Auto, _) => told_by_sizes([a, b, c])?,
    };
    let note = match channels_last {
        // A vector, as `sample` writes it.
        false if b == 1 && c == 1 => None,
        false => Some(format!(
            "axes: samples, channels {a}, height {b}, width {c} (data.layout)"
        )),
        true => Some(format!(
            "axes: samples, height {a}, width {b}, channels {c} (data.layout)"
        )),
    };
    Ok(Axes {
        shape: if channels_last { last } else { first },
        channels_last,
        note,
    })
}

/// Whether the last of three axes is that of the channels: one of 1, 3 or 4 beside two larger ones.
fn told_by_sizes([a, b, c]: [usize; 3]) -> Result<bool, String> {
    let few = |channels: usize| matches!(channels, 1 | 3 | 4);
    if few(c) && a > c && b > c {
        return Ok(true);
    }
    if few(a) && b > a && c > a {
        return Ok(false);
    }
    // A vector is no picture of one channel and column.
    if few(c) && [b, c] != [1; 2] {
        return Err(format!(
            "its samples of {a}×{b}×{c} can have channels first ({}) or last ({}): set data.layout=nchw or data.layout=nhwc",
            Shape::new(a, b, c),
            Shape::new(c, a, b)
        ));
    }
    Ok(false)
}

/// The values of samples whose channels lie innermost, in the order channels, height, width.
pub(super) fn channels_first(numbers: Numbers, shape: Shape) -> Numbers {
    fn moved<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
        let samples = values.chunks(shape.len().max(1));
        let planes = samples.flat_map(|sample| {
            (0..shape.channels)
                .flat_map(move |channel| sample[channel..].iter().step_by(shape.channels))
        });
        planes.copied().collect()
    }
    match numbers {
        Numbers::Bytes(bytes) => Numbers::Bytes(moved(&bytes, shape)),
        Numbers::Singles(singles) => Numbers::Singles(moved(&singles, shape)),
        Numbers::Doubles(doubles) => Numbers::Doubles(moved(&doubles, shape)),
    }
}
