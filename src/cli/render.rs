//! `verifydesk render`: a template with sample values, without a database.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::{Failure, output};
use crate::config::{SettingError, Settings};
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::mail::message::Composer;
use crate::mail::templates::{Rendered, Templates};
use crate::mail::verification::{TEMPLATE, VerificationMail};
use crate::text::{plain, plain_lines};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The template's name, such as verification
    template: String,
    /// Language: ko or en
    #[arg(long, default_value = "ko")]
    locale: Locale,
    /// Which part to print
    #[arg(long, value_enum, required_unless_present = "eml")]
    part: Option<Part>,
    /// The fixture whose values are used; `templates list` names them
    #[arg(long, default_value = "example")]
    fixture: String,
    /// Replace a value of the fixture; may be given several times
    #[arg(long, value_name = "K=V", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Write the whole mail to this file
    #[arg(long, value_name = "FILE")]
    eml: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
    Mime,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as name=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let templates = Templates::gather(settings);
    if args.template == TEMPLATE {
        // As strict as the worker that mails it.
        Templates::from_settings(settings)?;
    }
    let Some(schema) = templates.schema(&args.template) else {
        return Err(Failure::not_found(
            format!("there is no template {}", plain(&args.template)),
            format!("use one of {}", templates.names().join(", ")),
        ));
    };
    let known: Vec<&str> = schema.variables.keys().map(String::as_str).collect();
    if let Some((key, _)) = args.set.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(Failure::usage(
            format!("the template {} has no variable {}", plain(&args.template), plain(key)),
            format!("use one of {}", known.join(", ")),
        ));
    }
    let fixtures = templates.fixtures(&args.template);
    let fixture = fixtures.iter().find(|fixture| fixture.id == args.fixture).ok_or_else(|| {
        let known: Vec<&str> = fixtures.iter().map(|fixture| fixture.id.as_str()).collect();
        Failure::not_found(
            format!("the template {} has no fixture {}", plain(&args.template), plain(&args.fixture)),
            format!("use one of {}", known.join(", ")),
        )
    })?;
    let now = chrono::Utc::now();
    let mail = VerificationMail::sample(args.locale, settings, now);
    let mut context = templates.context(&args.template, args.locale, fixture, settings, now);
    for (key, value) in &args.set {
        context.insert(key.clone(), value);
    }
    let rendered = templates.render(&args.template, args.locale, &context).map_err(|error| {
        if templates.mistakes().contains(&error) {
            return Failure::from(SettingError::from(error));
        }
        Failure::failed(error.to_string(), "correct the template, or the values given with --set")
    })?;
    let mime = || -> Result<Vec<u8>, Failure> {
        let mut settings = settings.clone();
        settings.mail.from.get_or_insert_with(|| "no-reply@example.org".into());
        let name = args.set.iter().rfind(|(key, _)| key == "name").map_or(mail.name.raw(), |(_, value)| value);
        let composed = Composer::from_settings(&settings)?
            .compose(SendId::new(), 1, &mail.recipient, name, &rendered, now)
            .map_err(|error| Failure::failed(error.to_string(), "correct the template or the sender"))?;
        Ok(composed.bytes)
    };
    if let Some(file) = &args.eml {
        std::fs::write(file, mime()?).map_err(|error| {
            let file = plain(&file.display().to_string());
            Failure::failed(format!("cannot write {file}: {error}"), "name a file in a directory that you may write")
        })?;
    }
    match args.part {
        Some(Part::Mime) => print(&mime()?)?,
        Some(part) => print(text_of(&rendered, part).as_bytes())?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(rendered: &Rendered, part: Part) -> &str {
    match part {
        Part::Subject => &rendered.subject,
        Part::Text => &rendered.text,
        Part::Html | Part::Mime => &rendered.html,
    }
}

/// To a terminal as a person may see it, to anything else byte by byte.
pub(super) fn print(bytes: &[u8]) -> io::Result<()> {
    if !io::stdout().is_terminal() {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        return if bytes.ends_with(b"\n") { Ok(()) } else { out.write_all(b"\n") };
    }
    for line in plain_lines(&String::from_utf8_lossy(bytes)) {
        output::line(line.as_str())?;
    }
    Ok(())
}
