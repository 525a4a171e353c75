//! A simulation of mail programs that invert a light mail's colours by themselves: light backgrounds become dark, dark
//! texts light, hues stay. What is dark already is left alone. Programs differ in the details.

use super::style::colour::{Rgba, byte};
use crate::preview::cell_layout::Rgb;

/// Backgrounds lighter than that are inverted.
const BACKGROUND: f32 = 0.65;

/// Texts darker than that are inverted.
const TEXT: f32 = 0.62;

/// What becomes of a background.
pub fn background(colour: Rgba) -> Rgba {
    invert(colour, |lightness| (lightness > BACKGROUND).then_some(0.22 + (1.0 - lightness) * 0.6))
}

/// What becomes of a text, or of a line, which has to be seen on its background as well.
pub fn text(colour: Rgba) -> Rgba {
    invert(colour, |lightness| (lightness < TEXT).then_some(0.94 - lightness * 0.35))
}

/// What becomes of a border.
pub fn line(colour: Rgba) -> Rgba {
    invert(colour, |lightness| {
        let inverted = if lightness > BACKGROUND { 0.42 } else { 0.7 };
        (!(0.4..=BACKGROUND).contains(&lightness)).then_some(inverted)
    })
}

fn invert(colour: Rgba, new: impl Fn(f32) -> Option<f32>) -> Rgba {
    let Rgb(r, g, b) = colour.rgb;
    let oklab = csscolorparser::Color::from_rgba8(r, g, b, 255).to_oklaba();
    let Some(lightness) = new(oklab[0]) else { return colour };
    // Dark colours allow less of strong hues.
    let fade = 0.8;
    let inverted = csscolorparser::Color::from_oklaba(lightness, oklab[1] * fade, oklab[2] * fade, 1.0);
    let channel = |value: f32| byte(value * 255.0);
    Rgba { rgb: Rgb(channel(inverted.r), channel(inverted.g), channel(inverted.b)), alpha: colour.alpha }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_light_mails() {
        let white = Rgba::opaque(Rgb::WHITE);
        let black = Rgba::opaque(Rgb::BLACK);
        assert!(background(white).rgb.luminance() < 0.05);
        assert!(text(black).rgb.luminance() > 0.7);
        // White on a blue button stays.
        let blue = Rgba::opaque(Rgb(29, 95, 196));
        assert_eq!((text(white), background(blue)), (white, blue));
        // A pale red stays red.
        let Rgb(r, g, b) = background(Rgba::opaque(Rgb(255, 220, 220))).rgb;
        assert!(r > g && r > b, "{r} {g} {b}");
    }

    #[test]
    fn stays_readable() {
        for shade in 0..=255 {
            let grey = Rgba::opaque(Rgb(shade, shade, shade));
            if background(Rgba::opaque(Rgb::WHITE)).rgb.contrast(grey.rgb) < 4.5 && Rgb::WHITE.contrast(grey.rgb) >= 4.5
            {
                let inverted = text(grey).rgb;
                let on = background(Rgba::opaque(Rgb::WHITE)).rgb;
                assert!(inverted.contrast(on) >= 4.5, "{shade} {inverted:?}");
            }
        }
    }
}
