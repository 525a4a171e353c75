//! What goes on when the console has ended: bulk resends that were started in it. Said once the terminal is the shell's
//! again, where it stays to be read.

use super::Model;
use super::when;
use crate::domain::id::JobId;
use crate::domain::job::JobState;
use crate::text::plain;

/// A line for each of them.
#[must_use]
pub fn lines(model: &Model) -> Vec<String> {
    model.queue.started.iter().filter_map(|id| line(model, *id)).collect()
}

fn line(model: &Model, id: JobId) -> Option<String> {
    // One that was started only just now is not known yet.
    let job = model.job(id);
    let is_over = job.is_some_and(|job| match job.state {
        JobState::Running | JobState::Paused => false,
        JobState::Done => job.open == 0,
        JobState::Cancelled => true,
    });
    if is_over {
        return None;
    }
    let which = job.map_or_else(
        || "the bulk resend".to_owned(),
        |job| format!("the bulk resend ({})", plain(&job.scope.to_string())),
    );
    let cancel = format!("cancel it with `verifydesk jobs cancel {id}`");
    // The console's own worker ends with it.
    let mut workers = model.outbox.iter().flat_map(|outbox| &outbox.workers);
    let is_worked = workers.any(|worker| worker.works(model.now) && Some(worker.id) != model.setup.sends);
    Some(match job {
        Some(job) if job.state == JobState::Paused => {
            format!("{which} is paused; `verifydesk jobs resume {id}` resumes it")
        }
        _ if !is_worked => format!("{which} goes on once a worker runs: `verifydesk worker`; {cancel}"),
        Some(job) if job.is_in_grace(model.now) => {
            let left = when::countdown(when::seconds_until(job.starts_at, model.now));
            format!("{which} starts in {left}, without the console; {cancel}")
        }
        _ => format!("{which} goes on without the console; {cancel}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::Action;
    use crate::domain::undo::Which;
    use crate::tui::Msg;
    use crate::tui::effect::{Acted, JobStarted};
    use crate::tui::tests::fixture::{Console, World, job, job_id};
    use crate::tui::tests::queue::worlds::{busy, grace};

    /// What is so, what makes it so, and what is said.
    type Case<'a> = (&'a str, &'a dyn Fn(&mut World), Option<String>);

    /// A console that has started the first job of that world.
    fn started(world: &World) -> Console {
        let mut console = Console::new(80, 24);
        console.serve(world);
        console.send(Msg::Acted(Acted::JobStarted(Ok(JobStarted { id: job_id(1), starts_in: 10 }))));
        console
    }

    #[test]
    fn what_was_started_here_and_is_not_over_is_said() {
        let cancel = format!("cancel it with `verifydesk jobs cancel {}`", job_id(1));
        let table: [Case<'_>; 6] = [
            ("running", &|_| {}, Some(format!("goes on without the console; {cancel}"))),
            (
                "its last mails",
                &|world| (world.outbox.jobs[0].state, world.outbox.jobs[0].open) = (JobState::Done, 3),
                Some(format!("goes on without the console; {cancel}")),
            ),
            (
                "paused",
                &|world| world.outbox.jobs[0].state = JobState::Paused,
                Some(format!("is paused; `verifydesk jobs resume {}` resumes it", job_id(1))),
            ),
            (
                "no one sends",
                &|world| world.outbox.workers.clear(),
                Some(format!("goes on once a worker runs: `verifydesk worker`; {cancel}")),
            ),
            ("done", &|world| (world.outbox.jobs[0].state, world.outbox.jobs[0].open) = (JobState::Done, 0), None),
            ("cancelled", &|world| world.outbox.jobs[0].state = JobState::Cancelled, None),
        ];
        for (name, change, expected) in table {
            let mut world = busy();
            change(&mut world);
            let said = lines(&started(&world).model);
            let expected: Vec<String> =
                expected.map(|then| format!("the bulk resend (expired) {then}")).into_iter().collect();
            assert_eq!(said, expected, "{name}");
        }
        let said = lines(&started(&grace()).model);
        assert!(said[0].starts_with("the bulk resend (expired) starts in 8 s, without the console; "), "{said:?}");
        let mut console = Console::new(80, 24);
        console.serve(&busy());
        assert!(lines(&console.model).is_empty(), "another's");
    }

    #[test]
    fn what_is_not_in_the_list_yet_goes_on_unless_it_was_taken_back() {
        let mut world = busy();
        world.outbox.jobs = vec![job(2, JobState::Running)];
        let mut console = started(&world);
        let said = lines(&console.model);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("the bulk resend goes on without the console; cancel it with "), "{said:?}");
        console.press("z");
        let which = Which::Of { action: Action::StartJob, verification: None };
        console.send(Msg::Acted(Acted::Undone { which, answer: Ok(()) }));
        assert!(lines(&console.model).is_empty());
    }
}
