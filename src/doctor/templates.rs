//! Whether mails can be made, and keep to the rules: those of `verifydesk templates check`.

use std::sync::Arc;
use std::time::Duration;

use super::{Finding, Room, check::Examined};
use crate::mail::templates::Templates;
use crate::preview::check::{self, Options, Report, Severity, clients};
use crate::preview::render_pool::{self, Missed};

/// How long the rules are tried, and how long to wait for a mail that was begun: one may render forever.
const BUDGET: Duration = Duration::from_secs(20);
const GRACE: Duration = Duration::from_secs(5);

/// What a check of them may take: no less than both.
pub(super) const LIMIT: Duration = Duration::from_secs(27);

pub(super) fn compile(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let report = report(room).await?;
        if let Some(first) = report.unmade().next() {
            let more = match report.unmade().count() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            return Ok(Finding::red(
                format!("{}:{}: {}{more}", first.subject(), first.line, first.message),
                "correct it: until then no such mail goes out; `verifydesk templates check` shows each place",
            ));
        }
        if report.mails == 0 {
            return Ok(Finding::red("no mail could be made", "`verifydesk templates check` says why"));
        }
        Ok(Finding::green(format!("{} sample mails were made", report.mails)))
    })
}

pub(super) fn rules(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let report = report(room).await?;
        let [errors, warnings] = [Severity::Error, Severity::Warning].map(|severity| report.count(severity));
        let next = "`verifydesk templates check` says where and why";
        if report.unfinished {
            let words = format!("not all was checked within {} s", BUDGET.as_secs());
            return Ok(Finding::yellow(words, "`verifydesk templates check --seconds 300` takes more time"));
        }
        let worst = report.findings.iter().min_by_key(|finding| finding.severity);
        let words = worst.map(|first| {
            let (rule, place) = (first.rule.id, first.subject());
            let of = |count: usize, what| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
            format!("{}, {}; {rule} in {place}: {}", of(errors, "error"), of(warnings, "warning"), first.message)
        });
        Ok(match words {
            Some(words) if errors > 0 => Finding::red(words, next),
            Some(words) if warnings > 0 => Finding::yellow(words, next),
            _ => Finding::green("no error, no warning"),
        })
    })
}

async fn report(room: &Room) -> Result<&Report, Finding> {
    let checked = room.templates.get_or_init(async || run(room).await).await;
    checked.as_ref().map_err(Clone::clone)
}

async fn run(room: &Room) -> Result<Report, Finding> {
    clients::chosen(&room.settings).map_err(|error| Finding::red(&error.what, &error.hint))?;
    let settings = Arc::new(room.settings.clone());
    let work = move || {
        let templates = Templates::gather(&settings);
        let options = Options { budget: BUDGET, ..Options::default() };
        check::check(&templates, &settings, chrono::Utc::now(), &options)
    };
    let done = render_pool::in_time(BUDGET + GRACE, work).await;
    // What mails say of the site is the workers' to know.
    let of_settings = |finding: &check::Finding| finding.file.as_ref().is_some_and(|file| file.shown == "settings");
    let without = |mut report: Report| {
        if !room.is_workers() {
            report.findings.retain(|finding| !of_settings(finding));
        }
        report
    };
    done.map(without).map_err(|missed| match missed {
        Missed::Late(_) => Finding::red(
            format!("a mail did not end within {} s", (BUDGET + GRACE).as_secs()),
            "look for an endless loop or a very large mail; `verifydesk templates check --template NAME` checks one template",
        ),
        Missed::Broke(broke) => Finding::red(broke.to_string(), "report it, with the templates that did it"),
        Missed::Ended => Finding::skipped("the program is ending"),
    })
}
