//! Paths of chains over a 2-D energy landscape.

use image::{RgbImage, imageops};
use plotters::style::{Color, RGBColor};

use super::ReportError;
use super::canvas::{paint, paint_over};
use super::landscape::{
    ABOVE_PANEL, MARGIN_TOP, PITCH, SAMPLE_COLOUR, check_extent, check_grids, count_note,
    draw_panel, fill, finite, panel_height, square,
};
use super::title::titled;

/// Draws `paths`, each from where it starts, a white dot, to where it ends, an orange one, over the landscape of `energies`, as
/// for [`landscape`](super::landscape()), under two lines. Points outside the square, ends among them, are left out, and counted below with
/// those that are not finite.
///
/// # Errors
/// As for [`landscape`](super::landscape()).
pub(crate) fn paths_over_landscape(
    energies: &[f32],
    side: usize,
    extent: f32,
    paths: &[Vec<[f32; 2]>],
    title: [&str; 2],
) -> Result<RgbImage, ReportError> {
    check_grids("energies", &[energies], side)?;
    check_extent(extent)?;
    let lowest = finite(energies).into_iter().fold(f32::INFINITY, f32::min);
    let inside = |point: &&[f32; 2]| point.iter().all(|value| value.abs() <= extent);
    let points = paths.iter().flatten();
    let outside = points.clone().count() - points.filter(inside).count();
    let mut image = paint(PITCH, panel_height(), |canvas| {
        let note = count_note(&[(outside, "of the states outside")]);
        draw_panel(canvas, 0, extent, "", &note).map(drop)
    })?;
    fill(&mut image, 0, side, energies, |energy| {
        (lowest - energy).exp()
    });
    let frame = square(0, extent);
    let image = paint_over(&image, |canvas| {
        let (white, black) = (RGBColor(255, 255, 255), RGBColor(0, 0, 0));
        let orange = SAMPLE_COLOUR.to_rgba();
        let pixel = |[x, y]: [f32; 2]| frame.pixel(f64::from(x), f64::from(y));
        // Lines first, so that no dot is below one.
        let pixels: Vec<Vec<(f64, f64)>> = paths
            .iter()
            .map(|path| {
                let points = path.iter().filter(inside);
                points.copied().map(pixel).collect()
            })
            .collect();
        for path in &pixels {
            canvas.line(path, black.mix(0.3), 2.0)?;
            canvas.line(path, white.mix(0.6), 1.0)?;
        }
        for path in paths {
            let ends = [(path.first(), white.to_rgba()), (path.last(), orange)];
            for (end, colour) in ends {
                let Some(&at) = end.filter(inside) else {
                    continue;
                };
                let at = pixel(at);
                canvas.dot(at, black.to_rgba(), 6.0)?;
                canvas.dot(at, colour, 4.5)?;
            }
        }
        Ok(())
    })?;
    let top = MARGIN_TOP - ABOVE_PANEL;
    let panel = imageops::crop_imm(&image, 0, top, PITCH, panel_height() - top);
    titled(&panel.to_image(), title)
}

#[cfg(test)]
mod tests {
    use super::super::landscape::{MARGIN_LEFT, SIDE};
    use super::super::title::STRIP;
    use super::*;
    use image::Rgb;

    #[test]
    fn a_path_leads_from_a_white_dot_to_an_orange_one() {
        let energies = [0.0; 4];
        let path = vec![[-1.0, 0.0], [0.0, 0.0], [f32::NAN, 0.0], [1.0, 0.0]];
        let draw = |paths: &[Vec<[f32; 2]>]| {
            paths_over_landscape(&energies, 2, 2.0, paths, ["a", "b"]).unwrap()
        };
        let image = draw(&[path]);
        let at = |quarters: u32| {
            let (x, y) = (MARGIN_LEFT + SIDE * quarters / 4, ABOVE_PANEL + SIDE / 2);
            *image.get_pixel(x, STRIP + y)
        };
        let orange = [SAMPLE_COLOUR.0, SAMPLE_COLOUR.1, SAMPLE_COLOUR.2];
        assert_eq!([at(1).0, at(3).0], [[255; 3], orange]);
        let flat = Rgb([0xfd, 0xe7, 0x25]);
        let is_line = |quarters| at(quarters) != flat;
        assert!(is_line(2));
        // Its ends are elsewhere.
        let outside = draw(&[vec![[-3.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [3.0, 0.0]]]);
        let colours = [Rgb([255; 3]), Rgb(orange)];
        let height = STRIP + ABOVE_PANEL + SIDE / 2;
        let of_path = (1..4).map(|quarters| {
            let (x, y) = (MARGIN_LEFT + SIDE * quarters / 4, height);
            *outside.get_pixel(x, y)
        });
        assert!(of_path.into_iter().all(|pixel| !colours.contains(&pixel)));
        let bare = draw(&[]);
        let middle = (MARGIN_LEFT + SIDE / 2, STRIP + ABOVE_PANEL + SIDE / 2);
        assert_eq!(*bare.get_pixel(middle.0 + 9, middle.1 + 9), flat);
        let empty = paths_over_landscape(&[], 0, 2.0, &[], ["", ""]);
        assert!(matches!(empty, Err(ReportError::Nothing { .. })));
    }
}
