//! Which rows: the options of `list`, `resend`, `sends` and `audit`, and the filter line in `--search`. Both make one
//! filter, and refuse a wrong word in the same words.

use super::{Failure, output, time};
use crate::domain::Time;
use crate::domain::filter::{Filter, Key, Place, Saved, Search, States, line};
use crate::domain::send::SendState;
use crate::domain::sort::Sort;
use crate::domain::verification::Status;

/// The options' names, for what does not go together with them.
pub const VERIFICATIONS: [&str; 5] = ["status", "search", "mail_state", "since", "until"];

/// Which verifications.
#[derive(Debug, clap::Args)]
pub struct Verifications {
    /// pending, verified, expired, revoked or all
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<StatusArg>,
    /// By e-mail, name, number or id, in whatever was pasted: a mailbox, a link, a line of a log; and by terms:
    /// status:, mail:, reason:, since:, until:, domain:, locale:, created:, expires:, job:, sort:; @NAME is a
    /// saved filter
    #[arg(long, value_name = "TEXT", value_parser = verifications)]
    search: Option<Line>,
    /// By what became of the last mail: a state, or several with commas
    #[arg(long, value_name = "S", value_parser = states)]
    mail_state: Option<States>,
    /// At or after this time: when it was verified, revoked or has expired, else when it was made; with a filter on the
    /// last mail, when that was queued
    #[arg(long, value_name = "T", value_parser = time::parse)]
    since: Option<Time>,
    /// Before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    until: Option<Time>,
}

/// Which mails.
#[derive(Debug, clap::Args)]
pub struct Mails {
    /// Only mails in this state, or in several with commas
    #[arg(long, value_name = "S", value_parser = states)]
    state: Option<States>,
    /// By recipient, name, number or id, in whatever was pasted: a mailbox, a link, a line of a log; and by terms:
    /// mail:, reason:, since:, until:, domain:, locale:, job:, sort:; @NAME is a saved filter
    #[arg(long, value_name = "TEXT", value_parser = mails)]
    search: Option<Line>,
    /// Queued at or after this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    since: Option<Time>,
    /// Queued before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    until: Option<Time>,
}

/// Which entries of the audit log.
#[derive(Debug, clap::Args)]
pub struct Entries {
    /// Only by whom: a part of the system user, SSH client address or database role
    #[arg(long, value_name = "WHO", value_parser = by)]
    by: Option<String>,
    /// Only this action, such as force-verify or pause; several with commas, or given several times
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Vec<Filter>,
    /// Only by this way: console, cli, web, api, worker or demo; several with commas, or given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    origin: Vec<Filter>,
    /// Only about users found by address (of now or before), name, number or id, in whatever was pasted; and by terms:
    /// by:, action:, origin:, since:, until:; @NAME is a saved filter
    #[arg(long, visible_alias = "user", value_name = "TEXT", value_parser = entries)]
    search: Option<Line>,
    /// At or after this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    since: Option<Time>,
    /// Before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    until: Option<Time>,
}

/// A status or all of them.
#[derive(Clone, Copy, Debug)]
struct StatusArg(Option<Status>);

fn status(text: &str) -> Result<StatusArg, String> {
    if text == "all" {
        return Ok(StatusArg(None));
    }
    text.parse()
        .map(|status| StatusArg(Some(status)))
        .map_err(|_| "use pending, verified, expired, revoked or all".into())
}

fn states(text: &str) -> Result<States, String> {
    text.split(',').map(str::parse).collect::<Result<States, _>>().map_err(|_| {
        let states: Vec<&str> = SendState::ALL.into_iter().map(SendState::as_str).collect();
        format!("use one of {}; several with commas", states.join(", "))
    })
}

/// A filter line: read at once, so that what is wrong is said with the other arguments; and again where the settings have
/// names that stand in it.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    place: Place,
    read: Filter,
}

impl Line {
    fn of(text: &str, place: Place) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), place, read: parse(text, place, &Saved::default())? })
    }

    fn filter(&self, saved: &Saved) -> Result<Filter, Failure> {
        if saved.expand(&self.text).line == self.text && !self.text.contains('@') {
            return Ok(self.read.clone());
        }
        parse(&self.text, self.place, saved)
            .map_err(|what| Failure::usage(format!("--search: {what}"), "`[filters]` in the settings has the names"))
    }
}

fn read(line: Option<&Line>, saved: &Saved) -> Result<Filter, Failure> {
    line.map_or_else(|| Ok(Filter::default()), |line| line.filter(saved))
}

fn verifications(text: &str) -> Result<Line, String> {
    Line::of(text, Place::Verifications)
}

fn mails(text: &str) -> Result<Line, String> {
    Line::of(text, Place::Mails)
}

fn entries(text: &str) -> Result<Line, String> {
    Line::of(text, Place::Audit)
}

fn by(text: &str) -> Result<String, String> {
    line::term(Key::By, text, time::clock()).map(|filter| filter.by.unwrap_or_default())
}

fn action(text: &str) -> Result<Filter, String> {
    line::term(Key::Action, text, time::clock())
}

fn origin(text: &str) -> Result<Filter, String> {
    line::term(Key::Origin, text, time::clock())
}

/// A line that can find something: none at all would be a filter that everyone fits.
fn parse(text: &str, place: Place, saved: &Saved) -> Result<Filter, String> {
    let filter = saved.read(text, place, time::clock()).map_err(|wrong| {
        let [line, mark] = wrong.pointed_at(text);
        format!("{wrong}\n\n  {line}\n  {mark}")
    })?;
    let can_find = match &filter.search {
        Some(search) => search.can_find(),
        None => !text.trim().is_empty(),
    };
    if can_find { Ok(filter) } else { Err("it needs a letter or a digit".into()) }
}

/// Says that a short search looks at beginnings only.
pub fn remark_on(search: Option<&Search>) {
    if let Some(search) = search.filter(|search| search.is_prefix()) {
        let min = search.inside_from();
        output::remark(&format!("fewer than {min} characters are looked for at the beginning only"));
    }
}

/// Says why the first rows stand there: of how many, and whether there are no others.
pub fn remark_on_exact((count, is_all): (usize, bool)) {
    if count == 0 || is_all {
        return;
    }
    let first = if count == 1 { "first row is".to_owned() } else { format!("first {count} rows are") };
    output::remark(&format!("the {first} exactly what was looked for; the others contain it"));
}

impl Verifications {
    /// Whether any was given.
    pub fn any(&self) -> bool {
        self.status.is_some()
            || self.search.is_some()
            || self.mail_state.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    pub fn filter(&self, saved: &Saved) -> Result<Filter, Failure> {
        let mut filter = read(self.search.as_ref(), saved)?;
        if let Some(StatusArg(status)) = self.status {
            once(filter.status.is_some(), "status")?;
            filter.status = status;
        }
        add(&mut filter, self.mail_state, "mail-state", self.since, self.until)?;
        Ok(filter)
    }
}

impl Mails {
    pub fn filter(&self, saved: &Saved) -> Result<Filter, Failure> {
        let mut filter = read(self.search.as_ref(), saved)?;
        add(&mut filter, self.state, "state", self.since, self.until)?;
        Ok(filter)
    }
}

impl Entries {
    pub fn filter(&self, saved: &Saved) -> Result<Filter, Failure> {
        let mut filter = read(self.search.as_ref(), saved)?;
        if let Some(by) = &self.by {
            once(filter.by.is_some(), "by")?;
            filter.by = Some(by.clone());
        }
        if !self.action.is_empty() {
            once(!filter.actions.is_empty(), "action")?;
            filter.actions = self.action.iter().flat_map(|given| given.actions.clone()).collect();
        }
        if !self.origin.is_empty() {
            once(!filter.origins.is_empty(), "origin")?;
            filter.origins = self.origin.iter().flat_map(|given| given.origins.clone()).collect();
        }
        add(&mut filter, None, "", self.since, self.until)?;
        Ok(filter)
    }
}

/// What they have in common.
fn add(
    filter: &mut Filter,
    states: Option<States>,
    states_option: &str,
    since: Option<Time>,
    until: Option<Time>,
) -> Result<(), Failure> {
    if let Some(states) = states {
        once(!filter.mail.is_any(), states_option)?;
        filter.mail = states;
    }
    for (name, given, time) in [("since", since, &mut filter.since), ("until", until, &mut filter.until)] {
        if given.is_some() {
            once(time.is_some(), name)?;
            *time = given;
        }
    }
    Ok(())
}

/// Adds an order; a term may say it as well, but not both.
pub fn sort(filter: &mut Filter, sort: Option<Sort>) -> Result<(), Failure> {
    if sort.is_some() {
        once(filter.sort.is_some(), "sort")?;
        filter.sort = sort;
    }
    Ok(())
}

fn once(is_there: bool, option: &str) -> Result<(), Failure> {
    if is_there {
        let what = format!("--{option} is given, and a term in --search says the same");
        return Err(Failure::usage(what, "leave one of them out"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Both {
        #[command(flatten)]
        filter: Verifications,
    }

    fn of(arguments: &[&str]) -> Filter {
        Both::try_parse_from([&["x"], arguments].concat()).unwrap().filter.filter(&Saved::default()).unwrap()
    }

    #[test]
    fn options_and_terms_make_the_same_filter() {
        let options =
            ["--status", "expired", "--mail-state", "failed,unknown", "--since", "2026-11-01", "--search", "kim"];
        let line = ["--search", "kim status:expired mail:unknown,failed since:2026-11-01"];
        assert_eq!(of(&options), of(&line));
        assert_eq!(of(&["--until", "yesterdayT18:00"]), of(&["--search", "until:yesterdayT18:00"]));
    }

    #[derive(Parser)]
    struct Audit {
        #[command(flatten)]
        filter: Entries,
    }

    #[test]
    fn the_audit_log_is_asked_in_the_same_language() {
        let of = |arguments: &[&str]| {
            Audit::try_parse_from([&["x"], arguments].concat())
                .map(|args| args.filter.filter(&Saved::default()).unwrap())
        };
        let options = ["--by", "mina", "--action", "pause", "--action", "force-verify,undo", "--origin", "cli"];
        let line = ["--search", "by:mina action:pause,force_verify,undo origin:cli"];
        assert_eq!(of(&options).unwrap(), of(&line).unwrap());
        for (options, line) in
            [(["--action", "stop"], ["--search", "action:stop"]), (["--origin", "phone"], ["--search", "origin:phone"])]
        {
            let words = format!("\"{}\" is no {}: ", options[1], &options[0][2..]);
            for arguments in [options, line] {
                let error = of(&arguments).unwrap_err().to_string();
                assert!(error.contains(&words), "{arguments:?}: {error}");
            }
        }
        assert!(of(&["--by", " "]).is_err() && of(&["--search", " "]).is_err());
        let twice = Audit::try_parse_from(["x", "--by", "mina", "--search", "by:jun"]).unwrap();
        assert!(twice.filter.filter(&Saved::default()).is_err());
    }

    #[test]
    fn a_name_of_the_settings_stands_for_its_line() {
        let saved: Saved = toml::from_str("lost = 'mail:failed,unknown'").unwrap();
        let read = |line: &str| Both::try_parse_from(["x", "--search", line]).unwrap().filter.filter(&saved);
        assert_eq!(read("kim @lost").unwrap(), of(&["--search", "kim mail:failed,unknown"]));
        assert_eq!(read("@naver.com").unwrap(), of(&["--search", "@naver.com"]));
        let error = read("kim @lsot").unwrap_err().to_string();
        assert!(error.contains("there is no @lsot; did you mean @lost?\n\n  kim @lsot\n      ^^^^^"), "{error}");
        let error = read("@lost mail:bounced").unwrap_err().to_string();
        assert!(error.contains("mail: is there twice"), "{error}");
    }

    #[test]
    fn the_wrong_word_is_pointed_at() {
        let error = parse("김미나 status:pendng", Place::Verifications, &Saved::default()).unwrap_err();
        assert!(error.ends_with("\n\n  김미나 status:pendng\n                ^^^^^^"), "{error}");
        assert!(parse(" ", Place::Mails, &Saved::default()).is_err());
        assert!(parse("status:all", Place::Verifications, &Saved::default()).is_ok());
        let twice = Both::try_parse_from(["x", "--status", "expired", "--search", "status:pending"]).unwrap();
        assert!(twice.filter.filter(&Saved::default()).is_err());
    }
}
