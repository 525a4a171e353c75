//! What the templates' workbench asks for. None of it needs a database.

use std::path::PathBuf;
use std::sync::Arc;

use super::Answer;
use crate::desk::test_send::{TestSend, TestSent};
use crate::mail::transport::dialogue::DialogueLine;
use crate::preview::check::Report;
use crate::preview::page::PageAddress;
use crate::preview::proof::{Attempt, PreviewRequest, TemplateIndex};

#[derive(Clone, Debug, PartialEq)]
pub enum Bench {
    /// Which templates and fixtures there are.
    List,
    /// A template rendered and taken apart.
    Prove { order: Box<PreviewRequest>, generation: u64 },
    /// All templates held to all rules.
    Check,
    /// From now on, reports every change of the templates' files.
    Watch,
    /// Sends a test mail; each line said on the way is passed on.
    TestSend { request: Box<TestSend>, generation: u64 },
    /// Writes built-in templates of these names into a directory, or all of them.
    Eject { dir: PathBuf, names: Vec<String> },
    /// Starts the page for browsers.
    StartPage,
    /// Ends it.
    StopPage,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Benched {
    Listed(Answer<Box<TemplateIndex>>),
    Proved {
        order: Box<PreviewRequest>,
        generation: u64,
        /// A problem where it took too long.
        answer: Answer<Box<Attempt>>,
    },
    /// The proof waits for earlier renderings that are left alone but still run.
    ProofWaits {
        generation: u64,
    },
    Checked(Answer<Arc<Report>>),
    /// Checks that took too long have ended after all.
    CheckedLate(Arc<Report>),
    FilesChanged,
    /// They are not watched for the time being: why, plain.
    Unwatched(String),
    TestSaid {
        generation: u64,
        line: DialogueLine,
    },
    TestSent {
        generation: u64,
        answer: Answer<Box<TestSent>>,
    },
    /// The files that were written.
    Ejected(Answer<Vec<PathBuf>>),
    PageStarted(Answer<PageAddress>),
}
