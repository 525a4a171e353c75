//! `verifydesk templates new`: a template to begin with, in every language.

use std::process::ExitCode;

use super::shown;
use crate::cli::{Failure, output};
use crate::config::Settings;
use crate::mail::templates::eject::{built_in, write};
use crate::mail::templates::{Templates, is_name};
use crate::mail::verification::TEMPLATE;
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name: lower-case letters, digits and hyphens, a letter first
    name: String,
}

/// The new template is the verification mail under another name: it passes every check, has each thing that the checks
/// look for in its place, and its schema says what each variable is.
pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let name = args.name.as_str();
    if !is_name(name) {
        return Err(Failure::usage(
            format!("{} cannot be a template's name", plain(name)),
            "use lower-case letters, digits and hyphens, a letter first, such as password-reset",
        ));
    }
    let Some(dir) = &settings.templates.dir else {
        return Err(Failure::usage(
            "`templates.dir` is not set, so there is no place for a new template",
            "set it in the settings file, or VERIFYDESK_TEMPLATES__DIR; `verifydesk templates eject DIR` fills a directory",
        ));
    };
    if Templates::gather(settings).names().iter().any(|known| known == name) {
        return Err(Failure::failed(
            format!("there is a template {name} already"),
            "choose another name, or change its files; `verifydesk templates list` names them",
        ));
    }
    let files: Vec<(String, String)> = built_in()
        .map(|(path, text)| {
            let text = if path.ends_with("/schema.toml") { schema(text, name) } else { text.to_owned() };
            (path.replace(&format!("/{TEMPLATE}/"), &format!("/{name}/")), text)
        })
        .collect();
    for path in write(dir, &files)? {
        output::line(&shown(&path))?;
    }
    output::remark(&format!(
        "it begins as a copy of the verification mail; see it with `verifydesk render {name} --part text`, and \
         `verifydesk templates check --template {name}` checks it"
    ));
    Ok(ExitCode::SUCCESS)
}

/// The schema of the verification mail for another one: without the language, which every template knows, and which
/// this one does not say.
fn schema(text: &str, name: &str) -> String {
    let kept: Vec<&str> =
        text.trim_end().split("\n\n").filter(|block| !block.starts_with("[variables.locale]")).collect();
    format!("{}\n", kept.join("\n\n")).replace("the verification mail", &format!("the mail {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_keeps_what_is_its_own() {
        let text = built_in().find(|(path, _)| path.ends_with("schema.toml")).unwrap().1;
        let schema = schema(text, "password-reset");
        let table: toml::Table = schema.parse().unwrap();
        let names: Vec<&String> = table["variables"].as_table().unwrap().keys().collect();
        assert_eq!(names, ["expires", "lifetime", "link", "name", "site_name", "site_url"]);
        assert!(schema.starts_with("# The variables of the mail password-reset."), "{schema}");
    }
}
