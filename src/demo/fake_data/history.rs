//! What happened to the made-up people since they signed up.

use chrono::Duration;
use fastrand::Rng;
use uuid::Uuid;

use super::LIFETIME;
use super::mails::{self, Course, Event, Mail};
use super::names::Person;
use crate::domain::Time;
use crate::domain::audit::{Action, Origin};
use crate::domain::key::NONCE_LENGTH;
use crate::domain::send::SendState;

/// One verification.
pub struct Issue {
    pub person: usize,
    pub created_at: Time,
    pub expires_at: Time,
    pub verified_at: Option<Time>,
    pub revoked_at: Option<Time>,
    pub opened_at: Option<Time>,
    pub nonce: [u8; NONCE_LENGTH],
    /// Whether a worker ever made its key.
    pub mailed: bool,
}

/// One entry of the audit log.
pub struct Entry {
    pub at: Time,
    pub by: By,
    pub action: Action,
    pub outcome: &'static str,
    pub reason: Option<&'static str>,
    pub person: usize,
    pub issue: usize,
    pub mail: Option<Uuid>,
}

/// Who did it.
pub type By = (&'static str, Origin);

const SITE: By = ("demo site", Origin::Demo);
const VISITOR: By = ("visitor", Origin::Web);
const OPERATORS: [By; 4] = [
    ("mina@desk", Origin::Console),
    ("jun@desk", Origin::Cli),
    ("sora@desk from 192.0.2.7", Origin::Console),
    ("mina@desk", Origin::Console),
];
const REASONS: [&str; 5] = [
    "confirmed on the phone, customer number matches",
    "their company's filter eats our mails; their manager vouches for the address",
    "이메일 화면을 보여 주심, 본인 확인 완료",
    "wrote to support from this very address",
    "mailbox was full, has cleared it, cannot wait",
];

/// Those who signed up while the day's quota was used up, by how many have signed up since.
const OUTAGE: std::ops::Range<usize> = 760..812;

/// Everyone, and everything that happened, as of one moment.
pub struct World {
    pub rng: Rng,
    pub now: Time,
    pub people: Vec<Person>,
    pub issues: Vec<Issue>,
    pub mails: Vec<Mail>,
    pub events: Vec<Event>,
    pub entries: Vec<Entry>,
}

impl World {
    pub fn new(now: Time, rng: Rng) -> Self {
        let (people, issues, mails, events, entries) = Default::default();
        Self { rng, now, people, issues, mails, events, entries }
    }

    /// A user signs up, the `place`-th last, and lives until now.
    pub fn live(&mut self, person: Person, place: usize) {
        let created_at = person.created_at;
        let who = self.people.len();
        self.people.push(person);
        let issue = self.issue(who, created_at);
        let course = self.first_course(place);
        let (mail, arrived) = self.mail(issue, created_at, course, false);
        self.log(created_at, SITE, (Action::SignUp, "created", None), issue, Some(mail));

        if let Some(arrived) = arrived
            && self.chance(86)
            && self.clicks(issue, arrived)
        {
            if place % 601 == 17 {
                self.resend_in_vain(issue);
            }
            return;
        }
        if OUTAGE.contains(&place) {
            if place.is_multiple_of(3) {
                self.repair(issue, created_at);
            }
            return;
        }
        self.seek_help(issue, course);
    }

    /// Verifications in the order of their creation, the log in the order of its entries.
    pub fn in_order(mut self) -> Self {
        let mut order: Vec<usize> = (0..self.issues.len()).collect();
        order.sort_by_key(|at| self.issues[*at].created_at);
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        self.issues.sort_by_key(|issue| issue.created_at);
        self.mails.iter_mut().for_each(|mail| mail.issue = place[mail.issue]);
        self.entries.iter_mut().for_each(|entry| entry.issue = place[entry.issue]);
        self.mails.sort_by_key(|mail| mail.queued_at);
        self.entries.sort_by_key(|entry| entry.at);
        self
    }

    /// What becomes of the first mail. What is rare happens to some for certain.
    fn first_course(&mut self, place: usize) -> Course {
        match place {
            0 | 1 => return Course::Waits,
            2 | 4 => return Course::Unreported,
            5 | 8 => return Course::Retries,
            _ if OUTAGE.contains(&place) => return Course::Throttled,
            _ if place % 997 == 13 => return Course::Rejected,
            _ if place % 499 == 27 => return Course::Lost,
            _ if place % 311 == 45 => return Course::Refused,
            _ if place % 389 == 6 => return Course::Annoys,
            _ if place < 400 && place % 41 == 33 => return Course::Hangs,
            _ => {}
        }
        match self.rng.u32(0..1_000) {
            0..24 => Course::Bounces,
            24..45 => Course::ArrivesLate,
            _ => Course::Arrives,
        }
    }

    /// Opens the link of a mail that arrived, unless that would still be to come or is too late. Says whether it did.
    fn clicks(&mut self, issue: usize, arrived: Time) -> bool {
        let wait = match self.rng.u32(0..100) {
            0..55 => Duration::seconds(self.rng.i64(12..240)),
            55..86 => Duration::seconds(self.rng.i64(240..3_600)),
            86..97 => Duration::minutes(self.rng.i64(60..1_200)),
            _ => Duration::hours(self.rng.i64(20..80)),
        };
        let at = arrived + wait;
        if at > self.now {
            return false;
        }
        let this = &mut self.issues[issue];
        this.opened_at = Some(at);
        if at >= this.expires_at {
            self.log(at, VISITOR, (Action::OpenLink, "expired", None), issue, None);
            return false;
        }
        self.approve(issue, at);
        self.log(at, VISITOR, (Action::OpenLink, "verified", None), issue, None);
        true
    }

    fn approve(&mut self, issue: usize, at: Time) {
        let this = &mut self.issues[issue];
        this.verified_at = Some(at);
        self.people[this.person].verified_at = Some(at);
    }

    /// Those who did not verify: some ask support, at once or when it is too late; some are verified by hand.
    fn seek_help(&mut self, issue: usize, course: Course) {
        let bounced = course == Course::Bounces;
        let created_at = self.issues[issue].created_at;
        let at = created_at + Duration::minutes(self.rng.i64(40..3_600));
        if self.chance(if bounced { 14 } else { 3 }) && at <= self.now {
            let reason = REASONS[self.rng.usize(..REASONS.len())];
            self.approve(issue, at);
            let by = self.operator();
            return self.log(at, by, (Action::ForceVerify, "verified", Some(reason)), issue, None);
        }
        let again = if bounced { Course::Bounces } else { Course::Arrives };
        if self.chance(12) && self.is_past(at) && at < self.issues[issue].expires_at {
            let (mail, arrived) = self.mail(issue, at, again, false);
            let by = if self.chance(50) { VISITOR } else { self.operator() };
            self.log(at, by, (Action::Resend, "same_link", None), issue, Some(mail));
            if let Some(arrived) = arrived
                && self.chance(60)
                && self.clicks(issue, arrived)
            {
                return;
            }
        }
        let at = self.issues[issue].expires_at + Duration::minutes(self.rng.i64(5..7_000));
        if self.chance(30) && self.is_past(at) {
            self.replace(issue, at, again);
        }
    }

    /// A new key in the place of an expired one.
    fn replace(&mut self, old: usize, at: Time, course: Course) {
        let by = self.operator();
        self.issues[old].revoked_at = Some(at);
        self.log(at, by, (Action::Supersede, "done", Some("its time was over")), old, None);
        let new = self.issue(self.issues[old].person, at);
        let (mail, arrived) = self.mail(new, at, course, false);
        self.log(at, by, (Action::Resend, "new_key", None), new, Some(mail));
        if let Some(arrived) = arrived
            && self.chance(55)
        {
            self.clicks(new, arrived);
        }
    }

    /// After the outage an operator began to send its mails again, many at once.
    fn repair(&mut self, issue: usize, created_at: Time) {
        let at = created_at + Duration::hours(6);
        if !self.is_past(at) {
            return;
        }
        let (mail, arrived) = self.mail(issue, at, Course::Arrives, true);
        self.log(at, OPERATORS[0], (Action::Resend, "same_link", None), issue, Some(mail));
        if let Some(arrived) = arrived
            && self.chance(70)
        {
            self.clicks(issue, arrived);
        }
    }

    /// A mail that was asked for while its reader was just opening the first one.
    fn resend_in_vain(&mut self, issue: usize) {
        let Some(at) = self.issues[issue].verified_at else { return };
        let at = at - Duration::seconds(1);
        let (mail, _) = self.mail(issue, at, Course::Moot, false);
        self.log(at, VISITOR, (Action::Resend, "same_link", None), issue, Some(mail));
    }

    fn issue(&mut self, person: usize, created_at: Time) -> usize {
        let mut nonce = [0; NONCE_LENGTH];
        self.rng.fill(&mut nonce);
        let expires_at = created_at + LIFETIME;
        let (verified_at, revoked_at, opened_at) = (None, None, None);
        self.issues.push(Issue {
            person,
            created_at,
            expires_at,
            verified_at,
            revoked_at,
            opened_at,
            nonce,
            mailed: false,
        });
        self.issues.len() - 1
    }

    /// A mail, and when it arrived, if it did.
    fn mail(&mut self, issue: usize, at: Time, course: Course, bulk: bool) -> (Uuid, Option<Time>) {
        let id = mails::uuid_at(&mut self.rng, at);
        let this = &mut self.issues[issue];
        let mail = Mail {
            id,
            person: this.person,
            issue,
            bulk,
            state: SendState::Queued,
            queued_at: at,
            due_at: at,
            changed_at: at,
            attempts: 0,
            ses_id: None,
            reply: None,
            reason: None,
        };
        let recipient = &self.people[this.person].email;
        let (mail, events) = mails::run(&mut self.rng, mail, recipient, course, self.now);
        if mail.attempts > 0 {
            this.mailed = true;
            this.expires_at = at + LIFETIME;
        }
        let arrived = events.iter().find(|event| event.kind == "Delivery").map(|event| event.occurred_at);
        self.mails.push(mail);
        self.events.extend(events);
        (id, arrived)
    }

    fn log(
        &mut self,
        at: Time,
        by: By,
        (action, outcome, reason): (Action, &'static str, Option<&'static str>),
        issue: usize,
        mail: Option<Uuid>,
    ) {
        let person = self.issues[issue].person;
        self.entries.push(Entry { at, by, action, outcome, reason, person, issue, mail });
    }

    fn operator(&mut self) -> By {
        OPERATORS[self.rng.usize(..OPERATORS.len())]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// Long enough ago for a mail to be through.
    fn is_past(&self, at: Time) -> bool {
        at < self.now - Duration::minutes(1)
    }
}
