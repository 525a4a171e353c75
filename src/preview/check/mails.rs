//! What rules look at: one mail, and all mails of a template.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Instant;

use mail_parser::{Message, MessageParser};
use scraper::ElementRef;
use tera::Context;

use super::finding::Violation;
use super::source_map::Columns;
use super::uses::{Use, uses};
use crate::config::Settings;
use crate::domain::Time;
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::mail::message::Composer;
use crate::mail::templates::fixture::{COMMON, Fixture, Origin, Schema};
use crate::mail::templates::{LineMap, Part, Rendered, TemplateError, Templates};
use crate::mail::verification::{VARIABLES, VerificationMail};
use crate::preview::cell_layout::CellLayout;
use crate::preview::dom::Dom;
use crate::preview::dom::cascade::Cascade;
use crate::preview::layout::lay_out;
use crate::preview::view::View;

/// Who sends where no setting says it.
const SAMPLE_SENDER: &str = "Example <no-reply@example.org>";

/// What all mails of a run share.
pub struct CheckContext<'a> {
    pub templates: &'a Templates,
    pub settings: &'a Settings,
    pub now: Time,
    composer: Option<Composer>,
    until: Option<Instant>,
    written: RefCell<HashMap<String, Begins>>,
}

impl<'a> CheckContext<'a> {
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
        Self { templates, settings, now, composer: composer.ok(), until: None, written: RefCell::default() }
    }

    /// With a time at which nothing more is begun.
    #[must_use]
    pub fn until(mut self, until: Option<Instant>) -> Self {
        self.until = until;
        self
    }

    /// Whether that time is over.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() > until)
    }

    /// A line, from 1, of a source, by the source's path.
    pub(super) fn written_line(&self, path: &str, line: usize) -> &'a str {
        let text = self.templates.source_at(path).map_or("", |source| source.text.as_str());
        let mut written = self.written.borrow_mut();
        written.entry(path.to_owned()).or_insert_with(|| Begins::of(text)).line(text, line)
    }
}

/// Where the lines of a text begin: in a long one it takes its time to look for the end of each again.
struct Begins(Vec<usize>);

impl Begins {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// A line, from 1, of the text that it was made from; empty if there is none.
    fn line<'t>(&self, text: &'t str, line: usize) -> &'t str {
        let Some(from) = line.checked_sub(1).and_then(|at| self.0.get(at)) else { return "" };
        let end = self.0.get(line).copied().unwrap_or(text.len());
        text.get(*from..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }
}

/// One mail: a template in a language with a fixture.
pub struct RenderedMail<'a> {
    /// What all mails of the run share.
    pub shared: &'a CheckContext<'a>,
    /// The template's name.
    pub template: &'a str,
    /// The language.
    pub locale: Locale,
    /// The fixture that holds the variables' values.
    pub fixture: &'a Fixture,
    /// The variables.
    pub context: Context,
    /// The mail in words, with its markers: lines and columns of findings are those of this one.
    pub marked: Rendered,
    /// The mail in words, as it is sent.
    pub mailed: Rendered,
    /// The mail in bytes, as it is sent; empty where it cannot be put together.
    pub bytes: Vec<u8>,
    dom: OnceCell<Dom>,
    light: OnceCell<Cascade>,
    visible: OnceCell<String>,
    laid: RefCell<HashMap<View, Rc<CellLayout>>>,
    lines: [OnceCell<LineMap>; 3],
    begins: [OnceCell<Begins>; 3],
    columns: RefCell<HashMap<(Part, usize), Columns>>,
    uses: OnceCell<Vec<Use>>,
}

impl<'a> RenderedMail<'a> {
    pub fn new(
        shared: &'a CheckContext<'a>,
        template: &'a str,
        locale: Locale,
        fixture: &'a Fixture,
    ) -> Result<Self, TemplateError> {
        let CheckContext { templates, settings, now, composer, .. } = shared;
        let context = templates.context(template, locale, fixture, settings, *now);
        let marked = templates.render_marked(template, locale, &context)?;
        let mailed = templates.render(template, locale, &context)?;
        let to = VerificationMail::sample(locale, settings, *now).recipient;
        let name = context.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        let send = SendId(uuid::Uuid::nil());
        let composed = composer.as_ref().and_then(|by| by.compose(send, 1, &to, name, &mailed, *now).ok());
        let bytes = composed.map_or_else(Vec::new, |composed| composed.bytes);
        Ok(Self {
            shared,
            template,
            locale,
            fixture,
            context,
            marked,
            mailed,
            bytes,
            dom: OnceCell::new(),
            light: OnceCell::new(),
            visible: OnceCell::new(),
            laid: RefCell::default(),
            lines: Default::default(),
            begins: Default::default(),
            columns: RefCell::default(),
            uses: OnceCell::new(),
        })
    }

    /// The mail's HTML laid out.
    #[must_use]
    pub fn laid(&self, view: &View) -> Rc<CellLayout> {
        Rc::clone(self.laid.borrow_mut().entry(*view).or_insert_with(|| Rc::new(lay_out(&self.mailed.html, view))))
    }

    /// The mail's HTML as a tree, with its markers.
    #[must_use]
    pub fn dom(&self) -> &Dom {
        self.dom.get_or_init(|| Dom::parse(&self.marked.html))
    }

    /// The styles of its elements on a light screen.
    #[must_use]
    pub fn light(&self) -> &Cascade {
        self.light.get_or_init(|| self.dom().cascade(&View::default()))
    }

    /// The elements with a marker, in order.
    pub fn marked_as(&self, marker: &str) -> impl Iterator<Item = ElementRef<'_>> {
        self.dom().with("data-mail").filter(move |(_, value)| *value == marker).map(|(element, _)| element)
    }

    /// The text that a reader of the HTML sees, blanks folded.
    #[must_use]
    pub fn visible(&self) -> &str {
        self.visible.get_or_init(|| {
            let body = self.dom().named(&["body"]).next();
            body.map(|body| self.dom().visible_text(body, self.light())).unwrap_or_default()
        })
    }

    /// What is wrong with an element, at the beginning of its tag.
    pub fn violation(&self, element: ElementRef<'_>, message: impl Into<String>) -> Violation {
        Violation::rendered(Part::Html, self.dom().line(element), self.dom().column(element).unwrap_or(1), message)
    }

    /// The text of an element that is shown.
    #[must_use]
    pub fn text_of(&self, element: ElementRef<'_>) -> String {
        self.dom().visible_text(element, self.light())
    }

    /// Whether the mail is about a link, as a verification mail is.
    #[must_use]
    pub fn has_link(&self) -> bool {
        self.link().is_some()
    }

    /// Every link of the HTML that is shown, with its address, in order.
    pub fn links(&self) -> impl Iterator<Item = (ElementRef<'_>, &str)> {
        let links = self.dom().with("href").filter(|(element, _)| matches!(element.value().name(), "a" | "area"));
        let in_time = links.take_while(|_| !self.shared.is_late());
        in_time.filter(|(element, _)| !self.dom().is_hidden(*element, self.light()))
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
        self.shared.templates.schema(self.template)
    }

    /// Where the lines of a rendered part come from.
    #[must_use]
    pub fn line_map(&self, part: Part) -> &LineMap {
        let map = || self.shared.templates.line_map(self.template, self.locale, part, &self.context);
        self.lines[part as usize].get_or_init(map)
    }

    /// A line, from 1, of a part as it is rendered.
    #[must_use]
    pub fn rendered_line(&self, part: Part, line: usize) -> &str {
        let text = self.marked.part(part);
        self.begins[part as usize].get_or_init(|| Begins::of(text)).line(text, line)
    }

    /// How the columns of a rendered line go with those of its source.
    pub(super) fn columns(&self, part: Part, line: usize, make: impl FnOnce() -> Columns) -> Columns {
        *self.columns.borrow_mut().entry((part, line)).or_insert_with(make)
    }

    /// Where the HTML uses what mail programs may lack.
    #[must_use]
    pub fn uses(&self) -> &[Use] {
        self.uses.get_or_init(|| uses(self.dom(), self.light()))
    }
}

pub struct TemplateMails<'a> {
    /// What all mails of the run share.
    pub shared: &'a CheckContext<'a>,
    /// The template's name.
    pub template: &'a str,
    /// The languages that are looked at.
    pub locales: &'a [Locale],
    /// The mails that could be made.
    pub mails: &'a [RenderedMail<'a>],
    /// Whether all fixtures rendered in all languages: what is nowhere said must be looked for in all of them.
    pub is_whole: bool,
}

impl<'a> TemplateMails<'a> {
    /// The mails of a language.
    pub fn of(&self, locale: Locale) -> impl Iterator<Item = &'a RenderedMail<'a>> {
        self.mails.iter().filter(move |mail| mail.locale == locale)
    }

    /// The mail with the examples in a language.
    #[must_use]
    pub fn usual(&self, locale: Locale) -> Option<&'a RenderedMail<'a>> {
        self.of(locale).find(|mail| mail.is_usual())
    }
}
