//! A proof: a template rendered as it would be mailed, and everything a workbench shows of it.
//!
//! Pure but for the templates' files, and as slow as these are made to be: run it off the async threads, with a time
//! limit.

use std::path::PathBuf;

use chrono::TimeDelta;
use tera::Context;
use uuid::Uuid;

use super::as_sent::{Likeness, Sent};
use super::cell_layout::{CellLayout, Kind};
use super::inbox;
use super::layout::lay_out;
use super::mime::{self, Tree};
use super::part_comparison::{self, Fact};
use super::view::View;
use crate::config::Settings;
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::id::{SendId, VerificationId};
use crate::domain::locale::Locale;
use crate::domain::send::SendRow;
use crate::domain::verification::VerificationDetail;
use crate::mail::made_of;
use crate::mail::message::Composer;
use crate::mail::templates::{Part, Source, TemplateError, Templates};
use crate::mail::verification::{TEMPLATE, VerificationMail};
use crate::text::{Untrusted, plain};

/// Which mail, with which values, shown how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreviewRequest {
    /// The template's name.
    pub template: String,
    /// The language.
    pub locale: Locale,
    /// What its variables say.
    pub values: Values,
    /// How it is shown.
    pub view: View,
}

/// What a template's variables say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// A fixture, by its id.
    Fixture(String),
    /// A real verification.
    Person(Person),
}

/// A real verification whose mail is looked at. Its key is never asked for: the link is a sample.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    pub id: VerificationId,
    /// The user's address, as stored.
    pub email: String,
    /// The user's name, as they wrote it.
    pub name: String,
    /// Until when the link works, where that is known.
    pub expires_at: Option<Time>,
    /// The mail that is looked at; none where none was made yet.
    pub sent: Option<Sent>,
}

impl Person {
    /// Whose mail it is, and which; without one, the next of this verification.
    #[must_use]
    pub fn of(detail: &VerificationDetail, send: Option<&SendRow>) -> Self {
        let id = send.and_then(|send| send.verification_id).unwrap_or(detail.verification.id);
        let verification = detail.verifications().into_iter().find(|one| one.id == id);
        Self {
            id,
            email: send.map_or(&detail.user.email, |send| &send.recipient).raw().to_owned(),
            name: detail.user.name.raw().to_owned(),
            expires_at: verification.map(|one| one.expires_at),
            sent: send.map(Sent::from),
        }
    }
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The template's files in the language, as they are now.
    pub sources: Vec<(Part, Source)>,
    /// The proof, or what is wrong.
    pub outcome: Result<Box<Proof>, TemplateProblem>,
}

/// A rendered mail and what there is to see of it. Texts are untrusted: people write templates and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Who it is from, as it reads.
    pub from: String,
    /// Who it is to, as it reads.
    pub to: String,
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The HTML part in cells.
    pub laid: CellLayout,
    /// What an inbox shows of it, plain.
    pub preview: String,
    /// Its bytes.
    pub mime: Tree,
    /// What both parts must say.
    pub facts: Vec<Fact>,
    /// The template's variables.
    pub variables: Vec<Variable>,
    /// Of a real mail: whether it is what was sent.
    pub likeness: Option<Likeness>,
}

/// A variable, and the parts that use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// Of which kind; empty where the schema does not know it.
    pub kind: &'static str,
    /// Whether it is never empty.
    pub required: bool,
    /// Whether strangers decide what is in it.
    pub untrusted: bool,
    /// What it is; untrusted.
    pub about: String,
    /// What it says here; `None` if it is not defined.
    pub value: Option<String>,
    /// The parts that use it.
    pub used: Vec<Part>,
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// What Tera says, plain.
    pub message: String,
    /// The file, as it is shown; empty if no file is the cause.
    pub file: String,
    /// Where it is; none where it is built in, or no file of this template.
    pub path: Option<PathBuf>,
    /// Which of the template's own files it is.
    pub part: Option<Part>,
    /// Line and column, from 1, where they are known.
    pub place: Option<(usize, usize)>,
}

/// The templates that there are, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateIndex {
    /// Templates, in the order of their names.
    pub templates: Vec<TemplateEntry>,
    /// What is wrong with the files, one line each.
    pub mistakes: Vec<String>,
}

/// A template, its languages and its fixtures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateEntry {
    pub name: String,
    /// The languages that it has any file in.
    pub locales: Vec<Locale>,
    /// Its fixtures: id and title.
    pub fixtures: Vec<(String, String)>,
}

/// Lists the templates.
#[must_use]
pub fn index(templates: &Templates) -> TemplateIndex {
    let stocked = |name: String| {
        let has = |locale: &Locale| Part::ALL.iter().any(|part| templates.source(&name, *locale, *part).is_some());
        let locales: Vec<Locale> = Locale::ALL.into_iter().filter(has).collect();
        let fixtures: Vec<_> = templates.fixtures(&name).iter().map(|f| (f.id.clone(), f.title.clone())).collect();
        TemplateEntry { name, locales, fixtures }
    };
    let names = templates.names().into_iter();
    TemplateIndex {
        templates: names.map(stocked).collect(),
        mistakes: templates.mistakes().iter().map(ToString::to_string).collect(),
    }
}

/// Renders a mail and takes it apart.
#[must_use]
pub fn render_preview(templates: &Templates, settings: &Settings, request: &PreviewRequest, now: Time) -> Attempt {
    let (name, locale) = (request.template.as_str(), request.locale);
    let source = |part| Some((part, templates.source(name, locale, part)?.clone()));
    let sources: Vec<(Part, Source)> = Part::ALL.into_iter().filter_map(source).collect();
    let outcome = render(templates, settings, request, now).map_err(|error| problem(&error, &sources));
    Attempt { sources, outcome }
}

fn render(
    templates: &Templates,
    settings: &Settings,
    request: &PreviewRequest,
    now: Time,
) -> Result<Box<Proof>, TemplateError> {
    let (name, locale) = (request.template.as_str(), request.locale);
    let person = match &request.values {
        Values::Person(person) => Some(person),
        Values::Fixture(_) => None,
    };
    let sent = person.and_then(|person| person.sent.as_ref());
    // A mail that went out has the time of then.
    let now = sent.and_then(|sent| sent.at).unwrap_or(now);
    let (context, mail) = context(templates, settings, request, now);
    let words = templates.render(name, locale, &context)?;
    let laid = lay_out(&words.html, &request.view);
    let id = sent.map_or(SendId(Uuid::nil()), |sent| sent.send);
    let mime = bytes(settings, &mail, &context, &words, id, now).map(|bytes| mime::tree(&bytes)).unwrap_or_default();
    let header = |name: &str| {
        let found = mime.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.decoded.clone().unwrap_or_else(|| header.raw.clone())).unwrap_or_default()
    };
    let variables = variables(templates, name, locale, &context);
    let values: Vec<(String, String)> = variables
        .iter()
        .filter(|variable| !matches!(variable.name.as_str(), "locale"))
        .filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)))
        .filter(|(name, value)| name != "name" || value.chars().count() > 1)
        .collect();
    // Without the frames between: what is said may go over several rows.
    let said = laid.rows.iter().flat_map(|row| &row.runs).filter(|run| run.paint.kind == Kind::Text);
    let shown: String = said.map(|run| run.text.as_str()).collect();
    Ok(Box::new(Proof {
        from: header("From"),
        to: header("To"),
        facts: part_comparison::compare(&values, &words.text, &shown, &laid.links),
        preview: inbox::preview(&words.html),
        subject: words.subject,
        text: words.text,
        html: words.html,
        laid,
        mime,
        variables,
        likeness: person.map(|_| Likeness::of(sent, locale, made_of::of(templates, settings, locale))),
    }))
}

/// What the variables say, and the mail with its recipient.
fn context(
    templates: &Templates,
    settings: &Settings,
    request: &PreviewRequest,
    now: Time,
) -> (Context, VerificationMail) {
    let mut mail = VerificationMail::sample(request.locale, settings, now);
    let fixtures = templates.fixtures(&request.template);
    let context = match &request.values {
        Values::Person(person) => {
            mail.recipient = EmailAddress::parse(&person.email).unwrap_or(mail.recipient);
            mail.name = Untrusted::new(person.name.clone());
            mail.expires_at = expires_at(person, mail.expires_at);
            let example =
                fixtures.first().map(|f| templates.context(&request.template, request.locale, f, settings, now));
            let mut context = example.unwrap_or_default();
            let own = mail.context(&settings.site);
            let names = templates.schema(&request.template).into_iter().flat_map(|schema| schema.variables.keys());
            for name in names.map(String::as_str).chain(["name", "link", "expires", "lifetime"]) {
                if let Some(value) =
                    own.get(name).filter(|_| request.template == TEMPLATE || context.contains_key(name))
                {
                    context.insert(name.to_owned(), value);
                }
            }
            context
        }
        Values::Fixture(id) => match fixtures.iter().find(|f| f.id == *id).or(fixtures.first()) {
            Some(fixture) => {
                let context = templates.context(&request.template, request.locale, fixture, settings, now);
                mail.name = Untrusted::new(text(&context, "name").unwrap_or_default());
                context
            }
            None => mail.context(&settings.site),
        },
    };
    (context, mail)
}

/// Until when its mail says that the link works: of one that went out, what that was then. When it went out is known to
/// some seconds.
fn expires_at(person: &Person, of_then: Time) -> Time {
    let is_out = person.sent.is_some_and(|sent| sent.at.is_some());
    match person.expires_at {
        Some(now) if !is_out || (now - of_then).abs() < TimeDelta::minutes(1) => now,
        _ => of_then,
    }
}

fn text(context: &Context, name: &str) -> Option<String> {
    let value = context.get(name)?;
    Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// The mail as it would be sent; without a send its id is none.
fn bytes(
    settings: &Settings,
    mail: &VerificationMail,
    context: &Context,
    words: &crate::mail::templates::Rendered,
    id: SendId,
    now: Time,
) -> Option<Vec<u8>> {
    let mut settings = settings.clone();
    settings.mail.from.get_or_insert_with(|| "no-reply@example.org".into());
    let name = text(context, "name").unwrap_or_default();
    let composer = Composer::from_settings(&settings).ok()?;
    composer.compose(id, 1, &mail.recipient, &name, words, now).ok().map(|mail| mail.bytes)
}

fn variables(templates: &Templates, name: &str, locale: Locale, context: &Context) -> Vec<Variable> {
    let used: Vec<(Part, Vec<String>)> =
        Part::ALL.into_iter().map(|part| (part, templates.variables(name, locale, part))).collect();
    let schema = templates.schema(name);
    let declared = schema.into_iter().flat_map(|schema| schema.variables.keys());
    let mut names: Vec<&String> = declared.chain(used.iter().flat_map(|(_, names)| names)).collect();
    names.sort_unstable();
    names.dedup();
    let variable = |variable: &String| {
        let known = schema.and_then(|schema| schema.variables.get(variable));
        Variable {
            name: variable.clone(),
            kind: known.map_or("", |known| known.kind.as_str()),
            required: known.is_some_and(|known| known.required),
            untrusted: known.is_some_and(|known| known.untrusted),
            about: known.map(|known| known.about.clone()).unwrap_or_default(),
            value: text(context, variable),
            used: used.iter().filter(|(_, names)| names.contains(variable)).map(|(part, _)| *part).collect(),
        }
    };
    names.into_iter().map(variable).collect()
}

fn problem(error: &TemplateError, sources: &[(Part, Source)]) -> TemplateProblem {
    let file = error.file().unwrap_or_default().to_owned();
    let own = sources.iter().find(|(_, source)| source.shown == file);
    TemplateProblem {
        message: plain(&error.message()).into_string(),
        path: own.map_or_else(
            || Some(PathBuf::from(&file)).filter(|path| path.is_file()),
            |(_, source)| source.file.clone(),
        ),
        part: own.map(|(part, _)| *part),
        place: error.place(),
        file,
    }
}
