//! The whole console on the screen: the view, over it the dialog that is open, over that messages.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::model::View;
use super::screen::{banner, header, layout};
use super::theme::{Theme, Tone};
use super::view::{account, audit, mail, queue, suppressed, templates, verifications};
use super::widget::canvas::Canvas;
use super::widget::toast;
use super::{Model, footer};

/// Draws the console; any size will do. Returns where the terminal's cursor belongs while a text is typed (input
/// methods show their pre-edit there), or `None` where it should be hidden.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer, theme: &Theme) -> Option<Position> {
    let mut canvas = Canvas::new(buf, theme);
    let area = canvas.clip(area);
    if area.is_empty() {
        return None;
    }
    canvas.clear(area);
    let layout = layout::of(model, area);
    header::draw(&mut canvas, model, &layout);
    banner::draw(&mut canvas, model, layout.banner);
    match model.view {
        View::Verifications => verifications::draw(&mut canvas, model, &layout),
        View::Mail => mail::draw(&mut canvas, model, &layout),
        View::Audit => audit::draw(&mut canvas, model, &layout),
        View::Account => account::draw(&mut canvas, model, &layout),
        View::Suppressed => suppressed::draw(&mut canvas, model, &layout),
        View::Queue => queue::draw(&mut canvas, model, &layout),
        View::Templates => templates::draw(&mut canvas, model, &layout),
    }
    canvas.upright(layout.divider, canvas.glyphs().vertical, Tone::Rule);
    let mut caret = footer::draw(&mut canvas, model, &layout);
    if let Some(dialog) = &model.dialog {
        let over = Rect { height: area.height - layout.footer.height, ..area };
        caret = dialog.draw(&mut canvas, model, over);
    }
    let bottom = if layout.status.height > 0 && !model.prompt { layout.status.bottom() } else { layout.status.y };
    let bottom = if layout.status.height > 0 { bottom } else { area.bottom() - layout.footer.height };
    toast::draw(&mut canvas, Rect { height: bottom - area.y, ..area }, &model.toasts, model.now);
    caret
}
