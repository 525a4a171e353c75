//! Speaking to the mail server up to where a recipient would be named, and taking leave: whether it is there, is
//! protected, lets us in, and takes the sender. No mail comes of it.

use tokio::sync::mpsc::unbounded_channel;

use super::connection::ENCRYPTED;
use super::dialogue::Speaker;
use super::{Cause, Failure, Kind, Reply, Stage, Transport};
use crate::domain::address::EmailAddress;
use crate::text::{Plain, plain};

/// What came of it. Each is `None` where the conversation had ended before, or where it is not wanted.
#[derive(Debug)]
pub struct Tried {
    /// The first line that it said.
    pub greeting: Option<Result<Plain, Failure>>,
    /// What protects the connection.
    pub tls: Option<Result<Plain, Failure>>,
    pub sign_in: Option<Result<(), Failure>>,
    /// What it said to the sender.
    pub sender: Option<Result<Reply, Failure>>,
    /// Whether TLS is wanted.
    pub encrypts: bool,
    /// Whether there is a user to sign in as.
    pub signs_in: bool,
}

impl Transport {
    /// Tries it with this sender; `None` where mail does not go by SMTP. Ends within the time-outs of its
    /// steps, whatever the server does.
    pub async fn try_out(&self, sender: &EmailAddress) -> Option<Tried> {
        let Kind::Smtp(smtp) = &self.0 else { return None };
        let (dialogue, mut lines) = unbounded_channel();
        let done = Box::pin(smtp.try_out(sender, dialogue)).await;
        let mut tried = Tried {
            greeting: None,
            tls: None,
            sign_in: None,
            sender: None,
            encrypts: smtp.encrypts(),
            signs_in: smtp.signs_in(),
        };
        while let Ok(line) = lines.try_recv() {
            let note = line.text.as_str().strip_prefix(ENCRYPTED);
            match (line.speaker, note) {
                (Speaker::Server, _) if tried.greeting.is_none() => tried.greeting = Some(Ok(line.text)),
                (Speaker::Note, Some(how)) => tried.tls = Some(Ok(plain(how))),
                _ => {}
            }
        }
        tried.end(done);
        Some(tried)
    }
}

impl Tried {
    /// A failure belongs to the step in which it happened; the steps before it have succeeded.
    fn end(&mut self, done: Result<Reply, Failure>) {
        let let_in = self.signs_in.then_some(Ok(()));
        match done {
            Ok(said) => {
                self.sign_in = let_in;
                self.sender = Some(Ok(said));
            }
            Err(failure) if failure.stage >= Stage::Mail => {
                self.sign_in = let_in;
                self.sender = Some(Err(failure));
            }
            Err(failure) if failure.stage == Stage::Auth => self.sign_in = Some(Err(failure)),
            // With TLS from the first byte its handshake is part of connecting.
            Err(failure) if failure.stage == Stage::StartTls || matches!(failure.cause, Cause::Certificate(_)) => {
                self.tls = Some(Err(failure));
            }
            Err(failure) => self.greeting = Some(Err(failure)),
        }
    }

    /// Whether a step before this one has failed, so that it was not come to.
    #[must_use]
    pub fn ended_before(&self, stage: Stage) -> bool {
        let failures = [
            self.greeting.as_ref().and_then(|it| it.as_ref().err()),
            self.tls.as_ref().and_then(|it| it.as_ref().err()),
            self.sign_in.as_ref().and_then(|it| it.as_ref().err()),
        ];
        failures.into_iter().flatten().any(|failure| failure.stage < stage)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::text::Untrusted;

    fn tried(stage: Stage, cause: Cause) -> Tried {
        let mut tried =
            Tried { greeting: None, tls: None, sign_in: None, sender: None, encrypts: true, signs_in: true };
        tried.end(Err(Failure::new(stage, cause)));
        tried
    }

    #[test]
    fn a_failure_is_that_of_its_step() {
        let silent = || Cause::TimedOut(Duration::from_secs(1));
        let untrusted = || Cause::Certificate(Untrusted::new("expired"));
        for stage in [Stage::Connect, Stage::Greeting] {
            assert!(matches!(tried(stage, silent()).greeting, Some(Err(_))), "{stage}");
        }
        for (stage, cause) in
            [(Stage::StartTls, silent()), (Stage::Connect, untrusted()), (Stage::StartTls, untrusted())]
        {
            let tried = tried(stage, cause);
            assert!(matches!(tried.tls, Some(Err(_))) && tried.greeting.is_none(), "{tried:?}");
            assert!(tried.ended_before(Stage::Auth) && tried.ended_before(Stage::Mail));
        }
        let refused = tried(Stage::Auth, silent());
        assert!(matches!(refused.sign_in, Some(Err(_))) && refused.ended_before(Stage::Mail));
        assert!(!refused.ended_before(Stage::Auth));
        let refused = tried(Stage::Mail, silent());
        assert!(matches!((refused.sign_in, refused.sender), (Some(Ok(())), Some(Err(_)))));
    }
}
