//! A picture on a terminal: two pixels in each cell, one above the other.

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;
use std::cell::{Ref, RefCell};

/// Characters from dark to bright, where there are no colours.
const SHADES: &[u8] = b" .:-=+*#%@";

/// How colours can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// As they are.
    All,
    /// By the nearest of the 216 of a cube.
    Cube,
    /// Not at all.
    None,
}

impl Colours {
    /// What the terminal says that it can show.
    pub(super) fn of_terminal(may_colour: bool, colorterm: Option<&str>) -> Self {
        let is_true = |word: &str| word.contains("truecolor") || word.contains("24bit");
        match (may_colour, colorterm.is_some_and(is_true)) {
            (false, _) => Colours::None,
            (true, true) => Colours::All,
            (true, false) => Colours::Cube,
        }
    }

    fn of(self, Rgb([red, green, blue]): Rgb<u8>) -> Color {
        // The nearest of six steps; the cube begins at 16.
        let step = |value: u8| ((u16::from(value) * 5 + 127) / 255) as u8;
        match self {
            Colours::All => Color::Rgb(red, green, blue),
            _ => Color::Indexed(16 + 36 * step(red) + 6 * step(green) + step(blue)),
        }
    }
}

/// A picture, and what it was in the size that it was drawn in last.
pub(in crate::cli) struct Scaled {
    image: RgbImage,
    small: RefCell<RgbImage>,
}

impl Scaled {
    pub(super) fn new(image: RgbImage) -> Self {
        Scaled {
            image,
            small: RefCell::default(),
        }
    }

    /// In so many pixels. Making that is most of what drawing a run takes, and hardly ever needed anew.
    fn at(&self, width: u32, height: u32) -> Ref<'_, RgbImage> {
        if self.small.borrow().dimensions() != (width, height) {
            let small = resize(&self.image, width, height, FilterType::Triangle);
            self.small.replace(small);
        }
        self.small.borrow()
    }
}

/// A picture as large as its place allows, its sides in proportion.
pub(super) struct Picture<'a> {
    pub(super) image: &'a Scaled,
    pub(super) colours: Colours,
}

impl Widget for Picture<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let (columns, lines) = (u32::from(area.width), 2 * u32::from(area.height));
        let (width, height) = self.image.image.dimensions();
        if columns == 0 || lines == 0 || width == 0 || height == 0 {
            return;
        }
        let scale = f64::min(
            f64::from(columns) / f64::from(width),
            f64::from(lines) / f64::from(height),
        );
        let side = |pixels: u32| (f64::from(pixels) * scale).round().max(1.0) as u32;
        let (columns, lines) = (side(width).min(columns), side(height).min(lines));
        let small = self.image.at(columns, lines);
        for row in 0..lines.div_ceil(2) {
            for column in 0..columns {
                let above = *small.get_pixel(column, 2 * row);
                let below = (2 * row + 1 < lines).then(|| *small.get_pixel(column, 2 * row + 1));
                let place = (area.x + column as u16, area.y + row as u16);
                let Some(cell) = buffer.cell_mut(place) else {
                    continue;
                };
                if self.colours == Colours::None {
                    let both = [Some(above), below].into_iter().flatten();
                    cell.set_char(shade(both));
                    continue;
                }
                let style = Style::default().fg(self.colours.of(above));
                let style = below.map_or(style, |below| style.bg(self.colours.of(below)));
                cell.set_char('▀').set_style(style);
            }
        }
    }
}

/// The character that is as bright as these are on average.
fn shade(pixels: impl Iterator<Item = Rgb<u8>>) -> char {
    let (mut sum, mut count) = (0, 0);
    for Rgb([red, green, blue]) in pixels {
        // Rec. 601 luma, in thousandths.
        sum += 299 * usize::from(red) + 587 * usize::from(green) + 114 * usize::from(blue);
        count += 255_000;
    }
    let place = sum * (SHADES.len() - 1) / usize::max(count, 1);
    char::from(SHADES[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(image: &RgbImage, colours: Colours, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let image = &Scaled::new(image.clone());
        Picture { image, colours }.render(area, &mut buffer);
        buffer
    }

    #[test]
    fn a_cell_has_two_pixels_and_sides_stay_in_proportion() {
        let mut image = RgbImage::from_pixel(4, 4, Rgb([255, 255, 255]));
        (0..4).for_each(|x| image.put_pixel(x, 0, Rgb([255, 0, 0])));
        let buffer = drawn(&image, Colours::All, 10, 2);
        assert_eq!(buffer[(0, 0)].fg, Color::Rgb(255, 0, 0));
        assert_eq!(buffer[(0, 0)].bg, Color::Rgb(255, 255, 255));
        assert_eq!(
            (buffer[(3, 1)].symbol(), buffer[(4, 1)].symbol()),
            ("▀", " ")
        );
        // Nowhere to draw.
        drawn(&image, Colours::All, 0, 0);
    }

    #[test]
    fn without_colours_brightness_is_a_character() {
        let image = RgbImage::from_fn(2, 2, |x, _| Rgb([255 * x as u8; 3]));
        let buffer = drawn(&image, Colours::None, 2, 1);
        assert_eq!(
            (buffer[(0, 0)].symbol(), buffer[(1, 0)].symbol()),
            (" ", "@")
        );
    }

    #[test]
    fn the_cube_has_the_nearest_colour() {
        let of = |rgb| Colours::Cube.of(Rgb(rgb));
        assert_eq!(of([0, 0, 0]), Color::Indexed(16));
        assert_eq!(of([255, 255, 255]), Color::Indexed(231));
        assert_eq!(of([255, 0, 51]), Color::Indexed(16 + 180 + 1));
    }
}
