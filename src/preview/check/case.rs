//! What rules look at: one mail, and all mails of a template.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mail_parser::{Message, MessageParser};
use tera::Context;

use crate::config::Settings;
use crate::domain::Time;
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::mail::message::Composer;
use crate::mail::templates::fixture::{COMMON, Fixture, Origin, Schema};
use crate::mail::templates::{LineMap, Part, Rendered, TemplateError, Templates};
use crate::mail::verification::{VARIABLES, VerificationMail};
use crate::preview::laid::Laid;
use crate::preview::layout::lay_out;
use crate::preview::view::View;

/// Who sends where no setting says it.
const SAMPLE_SENDER: &str = "Example <no-reply@example.org>";

/// What all mails of a run have in common.
pub struct Ground<'a> {
    /// The templates.
    pub templates: &'a Templates,
    /// The settings as they are.
    pub settings: &'a Settings,
    /// The time of the mails.
    pub now: Time,
    composer: Option<Composer>,
}

impl<'a> Ground<'a> {
    /// Takes the sender from the settings, or a sample where there is none or a wrong one.
    #[must_use]
    pub fn new(templates: &'a Templates, settings: &'a Settings, now: Time) -> Self {
        let composer = Composer::from_settings(settings).or_else(|_| {
            let mut sample = settings.clone();
            sample.mail.from = Some(SAMPLE_SENDER.to_owned());
            sample.mail.reply_to = None;
            sample.mail.configuration_set = None;
            Composer::from_settings(&sample)
        });
        Self { templates, settings, now, composer: composer.ok() }
    }
}

/// One mail: a template in a language with a fixture.
pub struct Case<'a> {
    /// What all mails have in common.
    pub ground: &'a Ground<'a>,
    /// The template's name.
    pub template: &'a str,
    /// The language.
    pub locale: Locale,
    /// What gives the variables their values.
    pub fixture: &'a Fixture,
    /// The variables.
    pub context: Context,
    /// The mail in words, with its markers: lines and columns of findings are those of this one.
    pub marked: Rendered,
    /// The mail in words, as it is sent.
    pub mailed: Rendered,
    /// The mail in bytes, as it is sent; empty where it cannot be put together.
    pub bytes: Vec<u8>,
    laid: Mutex<HashMap<View, Arc<Laid>>>,
    lines: [OnceLock<LineMap>; 3],
}

impl<'a> Case<'a> {
    /// Makes the mail.
    pub fn new(
        ground: &'a Ground<'a>,
        template: &'a str,
        locale: Locale,
        fixture: &'a Fixture,
    ) -> Result<Self, TemplateError> {
        let Ground { templates, settings, now, composer } = ground;
        let context = templates.context(template, locale, fixture, settings, *now);
        let marked = templates.render_marked(template, locale, &context)?;
        let mailed = templates.render(template, locale, &context)?;
        let to = VerificationMail::sample(locale, settings, *now).recipient;
        let name = context.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        let send = SendId(uuid::Uuid::nil());
        let composed = composer.as_ref().and_then(|by| by.compose(send, 1, &to, name, &mailed, *now).ok());
        let bytes = composed.map_or_else(Vec::new, |composed| composed.bytes);
        let (laid, lines) = (Mutex::default(), Default::default());
        Ok(Self { ground, template, locale, fixture, context, marked, mailed, bytes, laid, lines })
    }

    /// The mail's HTML laid out.
    #[must_use]
    pub fn laid(&self, view: &View) -> Arc<Laid> {
        let mut laid = self.laid.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(laid.entry(*view).or_insert_with(|| Arc::new(lay_out(&self.mailed.html, view))))
    }

    /// A part as people read it.
    #[must_use]
    pub fn readable(&self, part: Part) -> Cow<'_, str> {
        Cow::Borrowed(self.marked.part(part))
    }

    /// The mail as a mail program reads it.
    #[must_use]
    pub fn message(&self) -> Option<Message<'_>> {
        MessageParser::default().parse(&self.bytes)
    }

    /// What a variable says, where it is text that is not empty.
    #[must_use]
    pub fn value(&self, variable: &str) -> Option<&str> {
        self.context.get(variable)?.as_str().filter(|value| !value.is_empty())
    }

    /// The link that the mail is about: what the variable `link` says.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.value("link")
    }

    /// What all variables say, where it is text that is not empty.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let declared = self.schema().into_iter().flat_map(|schema| schema.variables.keys()).map(String::as_str);
        let names: BTreeSet<&str> = declared.chain(COMMON).chain(VARIABLES).collect();
        names.into_iter().filter_map(|name| Some((name, self.value(name)?)))
    }

    /// Whether a value brings this text into the mail, rather than the template.
    #[must_use]
    pub fn is_said_by_a_value(&self, text: &str) -> bool {
        self.values().any(|(_, value)| value.contains(text))
    }

    /// Whether the values are what usual people have, so that lengths, tone and script can be judged.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        matches!(self.fixture.origin, Origin::Example)
    }

    /// The variables of the template.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        self.ground.templates.schema(self.template)
    }

    /// Where the lines of a rendered part come from.
    #[must_use]
    pub fn line_map(&self, part: Part) -> &LineMap {
        let map = || self.ground.templates.line_map(self.template, self.locale, part, &self.context);
        self.lines[part as usize].get_or_init(map)
    }
}

/// All mails of a template.
pub struct Set<'a> {
    /// What all mails have in common.
    pub ground: &'a Ground<'a>,
    /// The template's name.
    pub template: &'a str,
    /// The languages that are looked at.
    pub locales: &'a [Locale],
    /// The mails that could be made.
    pub cases: &'a [Case<'a>],
    /// Whether all fixtures rendered in all languages: what is nowhere said must be looked for in all of them.
    pub is_whole: bool,
}

impl<'a> Set<'a> {
    /// The mails of a language.
    pub fn of(&self, locale: Locale) -> impl Iterator<Item = &'a Case<'a>> {
        self.cases.iter().filter(move |case| case.locale == locale)
    }

    /// The mail with the examples in a language.
    #[must_use]
    pub fn usual(&self, locale: Locale) -> Option<&'a Case<'a>> {
        self.of(locale).find(|case| case.is_usual())
    }
}
