//! `verifydesk templates suggest-text`: a first text part, made from the HTML, for a person to polish.

use std::process::ExitCode;

use crate::cli::{Failure, render};
use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::fixture::Fixture;
use crate::mail::templates::{Part, Templates};
use crate::preview::fallback::suggested_text;
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The template's name, such as verification
    template: String,
    /// Language: ko or en
    #[arg(long, default_value = "ko")]
    locale: Locale,
}

pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let templates = Templates::gather(settings);
    let names = templates.names();
    if !names.contains(&args.template) {
        return Err(Failure::not_found(
            format!("there is no template {}", plain(&args.template)),
            format!("use one of {}", plain(&names.join(", "))),
        ));
    }
    let now = chrono::Utc::now();
    let mut context = templates.context(&args.template, args.locale, &Fixture::example(), settings, now);
    // Each value says where it comes from, so that the text has the variables again.
    for variable in templates.variables(&args.template, args.locale, Part::Html) {
        if variable != "locale" && context.get(&variable).is_some_and(|value| value.as_str().is_some()) {
            let tag = format!("{{{{ {variable} }}}}");
            context.insert(variable, &tag);
        }
    }
    let html = templates
        .render_part(&args.template, args.locale, Part::Html, &context)
        .map_err(|error| Failure::failed(error.to_string(), "fix the HTML first; the text is made from it"))?;
    render::print(suggested_text(&without_anchors(&html)).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The HTML with each link's address on a line of its own, where it can be copied, in place of a footnote.
fn without_anchors(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, anchor)) = rest.split_once("<a ") {
        out.push_str(before);
        let Some((inner, behind)) = anchor.split_once("</a>") else {
            rest = anchor;
            break;
        };
        let (tag, text) = inner.split_once('>').unwrap_or((inner, ""));
        let href = tag.split_once("href=\"").and_then(|(_, href)| href.split('"').next()).unwrap_or_default();
        if href.is_empty() || text.contains(href) {
            out.push_str(text);
        } else {
            out.extend([text, ":<br>", href]);
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_by_themselves() {
        let table = [
            ("<p><a class=\"x\" href=\"{{ link }}\">Go <b>on</b></a>.", "<p>Go <b>on</b>:<br>{{ link }}."),
            ("<a href=\"{{ link }}\">{{ link }}</a>", "{{ link }}"),
            ("<a name=\"top\">x</a> <a href=", "x href="),
            ("no link", "no link"),
        ];
        for (html, wanted) in table {
            assert_eq!(without_anchors(html), wanted, "{html}");
        }
    }
}
