//! Lays whatever out, in a view that its first byte chooses, and checks what is promised of every mail.

#![no_main]

use libfuzzer_sys::fuzz_target;
use verifydesk::preview::layout::lay_out;
use verifydesk::preview::view::{Scheme, View, Width};
use verifydesk::text::width;

fuzz_target!(|data: &[u8]| {
    let Some((how, html)) = data.split_first() else { return };
    let how = usize::from(*how);
    let view = View {
        width: Width::ALL[how % 4],
        scheme: Scheme::ALL[how / 4 % 3],
        images: how & 16 == 0,
        styles: how & 32 == 0,
        outlook: how & 64 != 0,
    };
    let laid = lay_out(&String::from_utf8_lossy(html), &view);
    for row in &laid.rows {
        let mut end = 0;
        for run in &row.runs {
            assert!(run.column >= end && !run.text.is_empty());
            end = run.column.saturating_add(1);
            assert!(usize::from(run.column) < usize::from(laid.needed) || width(&run.text) == 0);
            assert!(run.paint.link.is_none_or(|link| usize::from(link) < laid.links.len()));
        }
    }
});
