//! How many channels pictures are read with.

use super::made::{Kind, Png};
use crate::files::{all, colour_png, error, folder, grey_png, options};
use afterimage::data::{Channels, DataError, DataOptions, Dataset, open};
use afterimage::shape::Shape;

/// A grey picture of the values 10 and 20 in each way to store it.
fn greys() -> [Vec<u8>; 4] {
    let palette = Png::row(2, 8, Kind::Palette, &[0, 1]).with(b"PLTE", &[10, 10, 10, 20, 20, 20]);
    [
        grey_png(2, 1, vec![10, 20]),
        colour_png(2, 1, vec![10, 10, 10, 20, 20, 20]),
        palette.bytes(),
        Png::row(2, 8, Kind::GreyAlpha, &[10, 255, 20, 255]).bytes(),
    ]
}

fn coloured() -> Vec<u8> {
    colour_png(2, 1, vec![255, 0, 0, 0, 255, 0])
}

/// Reads `files` as a model of so many channels scores them, or as training does.
fn read(files: &[&[u8]], channels: Channels, model: Option<usize>) -> Result<Dataset, DataError> {
    let names = ["a.png", "b.png", "c.png", "d.png", "e.png"];
    let files: Vec<_> = names.into_iter().zip(files.iter().copied()).collect();
    let folder = folder(&files);
    let options = DataOptions {
        channels,
        scored_by: model.map(|channels| Shape::new(channels, 1, 2)),
        ..options("images", folder.path())
    };
    open(&options, 1)
}

#[test]
fn pictures_are_grey_by_their_pixels() {
    for grey in greys() {
        let dataset = read(&[&grey], Channels::Auto, None).unwrap();
        assert_eq!(dataset.shape(), Shape::new(1, 1, 2));
        assert_eq!(all(&dataset), [10.0, 20.0]);
    }
    let all_greys = greys();
    let files: Vec<&[u8]> = all_greys.iter().map(Vec::as_slice).collect();
    let dataset = read(&files, Channels::Auto, None).unwrap();
    assert_eq!(all(&dataset), [10.0, 20.0].repeat(4));
    assert_eq!(
        dataset.notes(),
        [
            "2 of 4 pictures are grey, though stored in colours: read with one channel (data.channels)"
        ]
    );
}

#[test]
fn a_grey_picture_has_the_same_values_alone_and_among_coloured_ones() {
    let rgb = [10.0, 20.0, 10.0, 20.0, 10.0, 20.0];
    for grey in greys() {
        let alone = read(&[&grey], Channels::Colour, None).unwrap();
        assert_eq!(alone.shape(), Shape::new(3, 1, 2));
        assert_eq!(all(&alone), rgb);
        // As a model of three channels scores it.
        assert_eq!(all(&read(&[&grey], Channels::Auto, Some(3)).unwrap()), rgb);
        for (place, files) in [[&grey, &coloured()], [&coloured(), &grey]]
            .iter()
            .enumerate()
        {
            let files = files.map(Vec::as_slice);
            let mixed = read(&files, Channels::Auto, None).unwrap();
            assert_eq!(all(&mixed)[6 * place..][..6], rgb);
            let note = "1 of 2 pictures is grey: read as red = green = blue (data.channels)";
            assert_eq!(mixed.notes(), [note]);
        }
    }
}

#[test]
fn one_channel_is_brightness_by_rec_601() {
    let colours = [255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 99];
    let picture = colour_png(4, 1, colours.to_vec());
    let dataset = read(&[&picture], Channels::Grey, None).unwrap();
    assert_eq!(dataset.shape(), Shape::new(1, 1, 4));
    // 0.299 red + 0.587 green + 0.114 blue
    assert_eq!(all(&dataset), [76.0, 150.0, 29.0, 132.0]);
    assert_eq!(
        dataset.notes(),
        ["the picture is coloured: read as brightness (data.channels)"]
    );
    // And for a model of one channel, when asked for.
    let half = colour_png(2, 1, colours[..6].to_vec());
    let asked = read(&[&half], Channels::Grey, Some(1)).unwrap();
    assert_eq!(all(&asked), all(&dataset)[..2]);
    for grey in greys() {
        let dataset = read(&[&grey], Channels::Grey, None).unwrap();
        assert_eq!(all(&dataset), [10.0, 20.0]);
    }
}

#[test]
fn a_grey_model_refuses_coloured_pictures_with_the_flag_that_helps() {
    let grey = &greys()[1];
    let dataset = read(&[grey], Channels::Auto, Some(1)).unwrap();
    assert_eq!(all(&dataset), [10.0, 20.0]);
    let message = error(read(&[grey, &coloured()], Channels::Auto, Some(1))).to_string();
    assert!(
        message.contains("b.png") && message.contains("`--set data.channels=1`"),
        "{message}"
    );
}
