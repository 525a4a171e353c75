//! What the pages for people point to is there.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn pages() -> Vec<PathBuf> {
    let inside = |dir: &str| fs::read_dir(Path::new(ROOT).join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let is_page = |path: &PathBuf| has_extension(path, "md");
    let mut pages: Vec<PathBuf> = inside(".").chain(inside("docs")).filter(is_page).collect();
    pages.sort();
    pages
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}

fn files(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path.strip_prefix(ROOT).unwrap().display().to_string());
        }
    }
}

/// What stands between two marks, in order.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

#[test]
fn links_lead_to_files() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in between(&text, "](", ")").filter(|link| !link.contains(':') && !link.starts_with('#')) {
            let file = page.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(file.exists(), "{}: {link}", page.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn source_files_that_are_named_are_there() {
    let mut all = Vec::new();
    for dir in ["src", "tests/it", "benches", "migrations", "scripts"] {
        files(&Path::new(ROOT).join(dir), &mut all);
    }
    let mut count = 0;
    for page in pages().iter().filter(|page| !page.ends_with("CHANGELOG.md")) {
        let text = fs::read_to_string(page).unwrap();
        let is_source = |name: &&str| !name.contains(char::is_whitespace) && has_extension(Path::new(name), "rs");
        for name in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(is_source) {
            let is_there = all.iter().any(|file| file == name || file.ends_with(&format!("/{name}")));
            assert!(is_there, "{}: {name}", page.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// Who copies the unit from the page has the file.
#[test]
fn the_unit_is_the_one_in_its_file() {
    let file = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    let worker = file("assets/systemd/verifydesk-worker.service");
    assert!(file("docs/worker.md").contains(&format!("/verifydesk-worker.service\n{worker}```")), "docs/worker.md");
    assert_eq!(worker.replace("worker", "serve"), file("assets/systemd/verifydesk-serve.service"));
}
