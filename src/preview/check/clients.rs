//! What mail programs support: the data of caniemail, built in, and which programs the settings name.
//!
//! What the data does not say is not guessed: Naver, Daum and Kakao are known by name, and have no data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::config::{SettingError, Settings};
use crate::text::plain;

/// Written by `scripts/clients.sh`.
const SUPPORT: &str = include_str!("../../../assets/clients/support.json");

/// Programs that people use and no one has data about.
const WITHOUT_DATA: [(&str, &str); 3] = [("naver", "Naver Mail"), ("daum", "Daum Mail"), ("kakao", "Kakao Mail")];

static DATA: LazyLock<Data> = LazyLock::new(|| serde_json::from_str(SUPPORT).unwrap_or_default());

#[derive(Default, Deserialize)]
struct Data {
    source: String,
    updated: String,
    clients: Vec<Family>,
    features: Vec<Entry>,
}

#[derive(Deserialize)]
struct Family {
    #[serde(rename = "family")]
    id: String,
    name: String,
    platforms: Vec<String>,
    platform_names: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    slug: String,
    title: String,
    notes: BTreeMap<String, String>,
    /// By family, a word a platform.
    support: BTreeMap<String, String>,
}

/// A mail program on a platform, or one without data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    family: &'static str,
    /// Its place among its family's platforms; none where there is no data.
    platform: Option<usize>,
    /// Its name for a person, such as `Outlook (Windows)`.
    pub name: String,
}

impl Client {
    /// Whether there is data about it at all.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.platform.is_some()
    }
}

/// Names for a person, a family's platforms together, and by the family alone where these are all that are chosen of
/// it: `Gmail, Outlook (Windows, Windows Mail)`.
#[must_use]
pub fn together(some: &[&Client], chosen: &[Client]) -> String {
    let mut listed: Vec<String> = Vec::new();
    let mut families: Vec<&str> = Vec::new();
    for client in some {
        if families.contains(&client.family) {
            continue;
        }
        families.push(client.family);
        let of_it: Vec<&&Client> = some.iter().filter(|other| other.family == client.family).collect();
        let all = chosen.iter().filter(|other| other.family == client.family).count();
        let (family, _) = client.name.split_once(" (").unwrap_or((&client.name, ""));
        if of_it.len() == all && all > 1 {
            listed.push(family.to_owned());
        } else if of_it.len() == 1 {
            listed.push(client.name.clone());
        } else {
            let platform =
                |client: &&&Client| client.name.split_once(" (").map(|(_, rest)| rest.trim_end_matches(')').to_owned());
            let platforms: Vec<String> = of_it.iter().filter_map(platform).collect();
            listed.push(format!("{family} ({})", platforms.join(", ")));
        }
    }
    listed.join(", ")
}

/// What the data says of a feature in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It works.
    Yes,
    /// It works in part; how, in the data's words (Markdown).
    Partly(Vec<&'static str>),
    /// It does not work; what is known about it, in the data's words.
    No(Vec<&'static str>),
    /// No one has tried it, or the outcome was not clear.
    NoData,
}

/// Does this program support the feature that caniemail calls by this name?
#[must_use]
pub fn support(client: &Client, slug: &str) -> Support {
    let Some((entry, platform)) = entry(slug).zip(client.platform) else { return Support::NoData };
    let word = entry.support.get(client.family).and_then(|words| words.split(' ').nth(platform)).unwrap_or("-");
    let notes =
        || word.get(1..).unwrap_or_default().split(',').filter_map(|at| entry.notes.get(at)).map(String::as_str);
    match word.as_bytes().first() {
        Some(b'y') => Support::Yes,
        Some(b'a') => Support::Partly(notes().collect()),
        Some(b'n') => Support::No(notes().collect()),
        _ => Support::NoData,
    }
}

/// What people call a feature; its short name where the data lacks it.
#[must_use]
pub fn title(slug: &'static str) -> &'static str {
    entry(slug).map_or(slug, |entry| entry.title.as_str())
}

fn entry(slug: &str) -> Option<&'static Entry> {
    let data: &'static Data = &DATA;
    let at = data.features.binary_search_by(|entry| entry.slug.as_str().cmp(slug)).ok()?;
    data.features.get(at)
}

/// Where the data is from and of which day.
#[must_use]
pub fn source() -> String {
    format!("{}, {}", DATA.source, DATA.updated)
}

/// Every name that `templates.clients` may hold: families, then platforms of those that have several.
#[must_use]
pub fn names() -> Vec<String> {
    let data: &'static Data = &DATA;
    let mut names: Vec<String> = data.clients.iter().map(|family| family.id.clone()).collect();
    names.extend(WITHOUT_DATA.iter().map(|(name, _)| (*name).to_owned()));
    for family in data.clients.iter().filter(|family| family.platforms.len() > 1) {
        names.extend(family.platforms.iter().map(|platform| format!("{}.{platform}", family.id)));
    }
    names
}

/// The programs that the settings name, each once, in the settings' order. An error names what there is.
pub fn chosen(settings: &Settings) -> Result<Vec<Client>, SettingError> {
    let mut chosen: Vec<Client> = Vec::new();
    for name in &settings.templates.clients {
        let found = find(name);
        if found.is_empty() {
            return Err(SettingError::new(
                format!("`templates.clients` names {}, which is not a known mail program", plain(name)),
                format!("use one of {}", names().join(", ")),
            ));
        }
        for client in found {
            if !chosen.contains(&client) {
                chosen.push(client);
            }
        }
    }
    Ok(chosen)
}

/// A family's programs, or one of them by `family.platform`.
fn find(name: &str) -> Vec<Client> {
    let data: &'static Data = &DATA;
    if let Some((family, shown)) = WITHOUT_DATA.iter().find(|(family, _)| *family == name) {
        return vec![Client { family, platform: None, name: (*shown).to_owned() }];
    }
    let (wanted, platform) = name.split_once('.').map_or((name, None), |(family, platform)| (family, Some(platform)));
    let Some(family) = data.clients.iter().find(|family| family.id == wanted) else { return Vec::new() };
    let of = |at: usize| {
        let shown = match family.platform_names.get(at) {
            Some(platform) if family.platforms.len() > 1 => format!("{} ({platform})", family.name),
            _ => family.name.clone(),
        };
        Client { family: family.id.as_str(), platform: Some(at), name: shown }
    };
    let fits = |at: &usize| platform.is_none_or(|platform| family.platforms[*at] == platform);
    (0..family.platforms.len()).filter(fits).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::check::features::FEATURES;

    fn settings(clients: &[&str]) -> Settings {
        let mut settings = Settings::default();
        settings.templates.clients = clients.iter().map(ToString::to_string).collect();
        settings
    }

    fn one(name: &str) -> Client {
        let mut chosen = chosen(&settings(&[name])).unwrap();
        assert_eq!(chosen.len(), 1, "{name}");
        chosen.remove(0)
    }

    #[test]
    fn every_feature_has_data() {
        assert!(DATA.clients.len() > 20 && source().contains("caniemail"));
        for feature in FEATURES {
            assert!(entry(feature.slug).is_some(), "{} is not in the data: fix features.rs", feature.slug);
        }
        assert!(DATA.features.is_sorted_by(|a, b| a.slug < b.slug), "it is searched by halves");
        for entry in &DATA.features {
            assert!(FEATURES.iter().any(|feature| feature.slug == entry.slug), "{} is not used", entry.slug);
            for family in &DATA.clients {
                let words = entry.support[&family.id].split(' ').count();
                assert_eq!(words, family.platforms.len(), "{} of {}", entry.slug, family.id);
            }
        }
    }

    #[test]
    fn says_what_the_data_says() {
        assert_eq!(support(&one("gmail.android"), "css-border-radius"), Support::Yes);
        assert!(matches!(support(&one("outlook.windows"), "css-display-flex"), Support::No(_)));
        assert!(
            matches!(support(&one("outlook.windows"), "css-max-width"), Support::Partly(notes) if notes[0].contains("<table>"))
        );
        for (client, slug) in
            [("naver", "css-padding"), ("daum", "css-padding"), ("kakao", "css-padding"), ("gmail.ios", "css-nonsense")]
        {
            assert_eq!(support(&one(client), slug), Support::NoData, "{client} {slug}");
        }
        // The newest version counts: "11.4" did not have it, "15" does.
        assert_eq!(support(&one("apple-mail.ios"), "css-padding-inline-block"), Support::Yes);
    }

    #[test]
    fn families_stand_for_their_platforms() {
        let clients = chosen(&settings(&["outlook.macos", "samsung-email", "outlook", "naver"])).unwrap();
        let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
        assert_eq!(names[..2], ["Outlook (macOS)", "Samsung Email"]);
        assert_eq!(names.iter().filter(|name| name.starts_with("Outlook")).count(), 6, "{names:?}");
        assert_eq!(names.last(), Some(&"Naver Mail"));
        assert!(!clients.last().unwrap().has_data());
    }

    #[test]
    fn families_are_listed_together() {
        let chosen = chosen(&settings(&["gmail", "outlook", "samsung-email", "yahoo.ios"])).unwrap();
        let of = |names: &[&str]| {
            let some: Vec<&Client> =
                chosen.iter().filter(|one| names.iter().any(|name| one.name.contains(name))).collect();
            together(&some, &chosen)
        };
        assert_eq!(
            of(&["Gmail", "Outlook (Windows", "Samsung"]),
            "Gmail, Outlook (Windows, Windows Mail), Samsung Email"
        );
        assert_eq!(of(&["Gmail (iOS)", "Yahoo"]), "Gmail (iOS), Yahoo! Mail (iOS)");
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn every_name_is_known_and_no_other() {
        for name in names() {
            assert!(!find(&name).is_empty(), "{name}");
        }
        assert!(chosen(&Settings::default()).unwrap().len() > 10);
        for name in ["outlok", "gmail.windows", "", "gmail.", "naver.ios", "x\u{1b}"] {
            let error = chosen(&settings(&[name])).unwrap_err();
            assert!(error.hint.contains("samsung-email") && error.hint.contains("outlook.windows"), "{name}");
            assert!(!error.what.contains('\u{1b}'));
        }
    }
}
