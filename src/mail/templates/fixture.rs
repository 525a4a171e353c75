//! What a template is tried with: the schema of its variables, and fixtures, which hold their values.
//!
//! `fixtures/<template>/schema.toml` beside the templates declares the variables, the other files there are fixtures:
//! ```toml
//! [variables.name]
//! type = "string"         # string, url, integer, boolean
//! required = false        # true: never empty
//! untrusted = true        # people type it: hostile values are tried
//! about = "what they call themselves"
//! example = { ko = "김하늘", en = "Robin Park" }   # or one for all languages
//! ```
//! ```toml
//! title = "Without a name"
//! [values]
//! name = ""
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::TemplateError;
use super::files::{BUILT_IN_FIXTURES, FIXTURES, entries, read, show};
use super::hostile;
use crate::domain::locale::Locale;
use crate::mail::verification;
use crate::text::plain;

/// Variables that every template has, besides those of its schema.
pub const COMMON: [&str; 3] = ["locale", "site_name", "site_url"];

/// The fixture that every template has: its examples.
pub const EXAMPLE: &str = "example";

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text, or a URL.
    Text(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// Of which kind a variable's values are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any text.
    #[default]
    String,
    /// An absolute URL.
    Url,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
}

impl Kind {
    /// As schemas write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Url => "url",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Boolean, Value::Boolean(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::String, Value::Text(_)) => true,
            (Self::Url, Value::Text(text)) => text.is_empty() || url::Url::parse(text).is_ok(),
            _ => false,
        }
    }
}

/// An example of a variable: one, or one a language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Examples {
    /// The same in each language.
    One(Value),
    /// One a language.
    Each(BTreeMap<Locale, Value>),
}

/// A variable that a template may use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What kind of values it has.
    #[serde(default, rename = "type")]
    pub kind: Kind,
    /// Whether it is never empty.
    #[serde(default)]
    pub required: bool,
    /// Whether strangers decide what is in it.
    #[serde(default)]
    pub untrusted: bool,
    #[serde(default)]
    pub about: String,
    /// What it may hold.
    pub example: Examples,
}

impl Variable {
    /// The example in a language.
    #[must_use]
    pub fn example(&self, locale: Locale) -> Option<&Value> {
        match &self.example {
            Examples::One(value) => Some(value),
            Examples::Each(values) => values.get(&locale).or_else(|| values.values().next()),
        }
    }
}

/// The variables of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// By name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
}

/// Where a fixture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The schema's examples.
    Example,
    /// Built in beside a built-in template.
    BuiltIn,
    File(PathBuf),
    /// What an attacker may try; the same for all templates.
    Hostile,
}

/// Values to try a template with; what it does not say is as in the examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// Its file's name without the ending.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The values, by variable.
    pub values: BTreeMap<String, Value>,
}

impl Fixture {
    /// The one that every template has: the examples.
    #[must_use]
    pub fn example() -> Self {
        Self {
            id: EXAMPLE.to_owned(),
            title: "The examples".to_owned(),
            origin: Origin::Example,
            values: BTreeMap::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureFile {
    title: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, Value>,
}

/// Schema and fixtures of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trials {
    /// The variables.
    pub schema: Schema,
    /// The example first, then the files, then the hostile ones.
    pub fixtures: Vec<Fixture>,
}

/// A TOML file's content, with where it is from.
struct Toml {
    stem: String,
    shown: String,
    file: Option<PathBuf>,
    content: String,
}

/// Reads schema and fixtures of a template; those that are wrong are left out and named in `mistakes`.
pub(super) fn load(dir: Option<&Path>, template: &str, mistakes: &mut Vec<TemplateError>) -> Trials {
    let mut texts = texts(dir, template, mistakes);
    let mut schema = Schema::default();
    if let Some(at) = texts.iter().position(|text| text.stem == "schema") {
        match parse::<Schema>(&texts.remove(at)) {
            Ok(found) => schema = found,
            Err(error) => mistakes.push(error),
        }
    } else if let Some(dir) = dir {
        mistakes.push(TemplateError::In {
            file: show(&dir.join(FIXTURES).join(template).join("schema.toml")),
            message: "is not there; it names the template's variables with type and example".to_owned(),
        });
    }
    if template == verification::TEMPLATE {
        schema.variables.retain(|name, _| verification::VARIABLES.contains(&name.as_str()));
    }
    let mut fixtures = vec![Fixture::example()];
    for text in &texts {
        match parse::<FixtureFile>(text).and_then(|file| check(file, text, &schema)) {
            Ok(fixture) => fixtures.push(fixture),
            Err(error) => mistakes.push(error),
        }
    }
    fixtures.extend(hostile::fixtures(&schema));
    Trials { schema, fixtures }
}

fn texts(dir: Option<&Path>, template: &str, mistakes: &mut Vec<TemplateError>) -> Vec<Toml> {
    let prefix = format!("{FIXTURES}/{template}/");
    let mut texts: BTreeMap<String, Toml> = BTreeMap::new();
    for (path, text) in BUILT_IN_FIXTURES {
        if let Some(stem) = path.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".toml")) {
            let (stem, shown) = (stem.to_owned(), format!("built-in {path}"));
            texts.insert(stem.clone(), Toml { stem, shown, file: None, content: text.to_owned() });
        }
    }
    let Some(dir) = dir.map(|dir| dir.join(&prefix)).filter(|dir| dir.is_dir()) else {
        return texts.into_values().collect();
    };
    for file in entries(&dir).unwrap_or_else(|error| {
        mistakes.push(error);
        Vec::new()
    }) {
        let is_toml = file.extension().is_some_and(|extension| extension == "toml");
        let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_toml) else { continue };
        match read(&file) {
            Ok(content) => {
                let text = Toml { stem: stem.to_owned(), shown: show(&file), file: Some(file.clone()), content };
                texts.insert(stem.to_owned(), text);
            }
            Err(error) => mistakes.push(error),
        }
    }
    texts.into_values().collect()
}

fn parse<T: for<'de> Deserialize<'de>>(text: &Toml) -> Result<T, TemplateError> {
    toml::from_str(&text.content).map_err(|error| {
        let before = &text.content[..error.span().map_or(0, |span| span.start).min(text.content.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError::At {
            file: text.shown.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: plain(error.message().lines().next().unwrap_or("is not TOML")).into_string(),
        }
    })
}

fn check(file: FixtureFile, text: &Toml, schema: &Schema) -> Result<Fixture, TemplateError> {
    let wrong = |message: String| TemplateError::In { file: text.shown.clone(), message };
    for (name, value) in &file.values {
        // Which every template has, whether or not its schema says so.
        if COMMON.contains(&name.as_str()) && matches!(value, Value::Text(_)) {
            continue;
        }
        let known = schema.variables.get(name).ok_or_else(|| {
            let known: Vec<_> = schema.variables.keys().map(String::as_str).collect();
            wrong(format!("the schema has no variable {}; it has {}", plain(name), known.join(", ")))
        })?;
        if !known.kind.takes(value) {
            return Err(wrong(format!("{} is not of the type {}", plain(name), known.kind.as_str())));
        }
    }
    let origin = text.file.clone().map_or(Origin::BuiltIn, Origin::File);
    let title = file.title.unwrap_or_else(|| text.stem.replace('-', " "));
    Ok(Fixture { id: text.stem.clone(), title: plain(&title).into_string(), origin, values: file.values })
}
