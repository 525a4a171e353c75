//! What it costs to lay a mail out in cells, beside what html2text takes for the same mail: no more than 2.5 times that.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use html2text::config;
use verifydesk::preview::layout::lay_out;
use verifydesk::preview::view::{Scheme, View, Width};

/// An order's receipt of 24 KB: nested tables, inlined and other styles, media queries, comments for Outlook.
const MAIL: &str = include_str!("../tests/mails/receipt.html");

fn layout(criterion: &mut Criterion) {
    let desk = View::default();
    let phone = View { width: Width::Phone, scheme: Scheme::Dark, ..desk };
    criterion.bench_function("layout: html2text, rich, with CSS", |bencher| {
        let config = || config::rich().use_doc_css().raw_mode(true).no_table_borders();
        bencher.iter(|| config().lines_from_read(black_box(MAIL).as_bytes(), 80));
    });
    criterion.bench_function("layout: 640 px", |bencher| bencher.iter(|| lay_out(black_box(MAIL), &desk)));
    criterion.bench_function("layout: 375 px, dark", |bencher| bencher.iter(|| lay_out(black_box(MAIL), &phone)));
}

criterion_group!(benches, layout);
criterion_main!(benches);
