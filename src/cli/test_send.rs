//! `verifydesk test-send`: a template to an address that may get tests, with the dialogue as it happens.

use std::io;
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{ArgGroup, ValueEnum};
use tokio::sync::mpsc;

use super::{Failure, operator, output};
use crate::config::Settings;
use crate::desk::test_send::{self, Recipient, Recorded, TestSend};
use crate::domain::audit::Origin;
use crate::domain::locale::Locale;
use crate::domain::send::SendState;
use crate::mail::templates::fixture::EXAMPLE;
use crate::mail::transport::dialogue::DialogueLine;
use crate::ses::simulator::Simulator;
use crate::store::Store;

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("recipient").required(true))]
pub struct Args {
    /// The template's name, such as verification
    template: String,
    /// To this address, which `test_send.allow` must hold
    #[arg(long, value_name = "ADDRESS", group = "recipient")]
    to: Option<String>,
    /// To a mailbox of Amazon SES's simulator
    #[arg(long, value_enum, group = "recipient")]
    simulator: Option<Simulator>,
    /// Language: ko or en
    #[arg(long, default_value = "ko")]
    locale: Locale,
    /// With the values of this fixture
    #[arg(long, value_name = "F", default_value = EXAMPLE)]
    fixture: String,
}

impl ValueEnum for Simulator {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let to = match (&args.to, args.simulator) {
        (_, Some(simulator)) => Recipient::Simulator(simulator),
        (to, None) => Recipient::Address(to.clone().unwrap_or_default()),
    };
    let request = TestSend { template: args.template.clone(), locale: args.locale, fixture: args.fixture.clone(), to };
    let store = if settings.database_url.is_some() {
        let store = Store::open(settings)?;
        store.check().await?;
        Some(store)
    } else {
        None
    };
    let (dialogue, mut lines) = mpsc::unbounded_channel::<DialogueLine>();
    let shown = async {
        let mut shown = Ok(());
        while let Some(line) = lines.recv().await {
            // A reader that went away does not stop a mail that is on its way.
            shown = shown.and_then(|()| output::line(&line.to_string()));
        }
        shown
    };
    let actor = operator(Origin::Cli);
    let (sent, shown) = tokio::join!(test_send::run(store.as_ref(), settings, &actor, &request, dialogue), shown);
    if let Some(store) = &store {
        store.flush().await;
    }
    let sent = sent?;
    shown.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })?;
    let recorded = match &sent.recorded {
        Recorded::Yes => "recorded as a test".to_owned(),
        Recorded::NoDatabase => "not recorded: no database is set".to_owned(),
        Recorded::Failed(why) => format!("not recorded: {why}"),
    };
    match sent.state {
        SendState::Accepted => {
            output::line(&format!(
                "accepted for {}: {} (send {}, {recorded})",
                sent.recipient.shown(),
                sent.words.plain(),
                sent.id
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        state => Err(Failure::failed(
            format!("the mail to {} is {state}: {}", sent.recipient.shown(), sent.words.plain()),
            format!("send {}, {recorded}", sent.id),
        )),
    }
}
