//! Changing data, in the operator's name.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Executor, unasked};
use crate::contain::contained_async;
use crate::desk::Whom;
use crate::domain::send::Priority;
use crate::tui::effect::{Act, Acted, BrakeChange, JobChange, JobStarted, Reasoned};
use crate::tui::msg::Msg;

impl Executor {
    pub(super) fn act(&self, act: Act) {
        let context = Arc::clone(&self.context);
        let Some(desk) = context.desk.clone() else { return unasked(&act) };
        let actor = context.actor.clone();
        context.open.fetch_add(1, Ordering::SeqCst);
        let act = async move {
            let acted = match act {
                Act::Resend { id, reason } => {
                    let resent = async { desk.resend(&actor, id, Priority::Person, reason.as_deref()).await };
                    Acted::Resent { id, answer: context.act(resent).await }
                }
                Act::Reasoned { what, id, reason } => {
                    let done = async {
                        match what {
                            Reasoned::ForceVerify => desk.force_verify(&actor, id, &reason).await.map(drop),
                            Reasoned::Unverify => desk.unverify(&actor, id, &reason).await.map(drop),
                            Reasoned::Revoke => desk.revoke(&actor, id, &reason).await.map(drop),
                            Reasoned::Extend => desk.extend(&actor, id, &reason).await.map(drop),
                            Reasoned::Unlist => desk.unlist(&actor, id, &reason).await.map(drop),
                        }
                    };
                    Acted::Reasoned { what, id, answer: context.act(done).await }
                }
                Act::ChangeAddress { id, address, reason } => {
                    let changed = async { desk.change_address(&actor, id, &address, &reason).await };
                    let answer =
                        context.act(changed).await.map(|(email, resent)| (email.to_string(), resent.verification_id));
                    Acted::AddressChanged { id, answer }
                }
                Act::Delete { id, reason } => {
                    let deleted = async { desk.delete_user(&actor, &Whom::Verification(id), &reason).await.map(drop) };
                    Acted::Deleting { id, answer: context.act(deleted).await }
                }
                Act::SignUp(request) => {
                    let signed_up = async { desk.sign_up(&actor, &request).await };
                    Acted::SignedUp(context.act(signed_up).await)
                }
                Act::StartJob { scope, plan } => {
                    let grace = desk.grace();
                    let starts_in = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
                    let started = context.act(desk.start_job(&actor, &scope, Some(&plan), grace)).await;
                    Acted::JobStarted(started.map(|id| JobStarted { id, starts_in }))
                }
                Act::ChangeJob { id, change } => {
                    let changed = async {
                        match change {
                            JobChange::Pause => desk.pause_job(&actor, id).await,
                            JobChange::Resume => desk.resume_job(&actor, id).await,
                            JobChange::Cancel => desk.cancel_job(&actor, id).await,
                        }
                    };
                    Acted::JobChanged { id, change, answer: context.act(changed).await }
                }
                Act::SetBrake { change, reason } => {
                    let set = async {
                        match change {
                            BrakeChange::Pause => desk.pause(&actor, &reason).await,
                            BrakeChange::Drain => desk.drain(&actor, &reason).await,
                            BrakeChange::Resume => desk.resume(&actor).await,
                        }
                    };
                    Acted::BrakeSet { change, answer: context.act(set).await }
                }
                Act::DecideTopic { topic, is_approved } => {
                    let decided = async {
                        if is_approved {
                            desk.approve_topic(&actor, &topic).await
                        } else {
                            desk.refuse_topic(&actor, &topic).await
                        }
                    };
                    let answer = context.act(decided).await;
                    Acted::TopicDecided { topic, is_approved, answer }
                }
                Act::RetryWebhooks => {
                    let retried = async { desk.retry_all_given_up(&actor).await };
                    Acted::WebhooksRetried(context.act(retried).await)
                }
                Act::AddIdentity { name, reason } => {
                    let asked = async { desk.add_identity(&actor, &name, reason.as_deref()).await.map(drop) };
                    let answer = context.act(asked).await;
                    Acted::IdentityAsked { name, answer }
                }
                Act::ChangeList { address, change, reason } => {
                    let asked =
                        async { desk.change_suppression_list(&actor, &address, change, &reason).await.map(drop) };
                    let answer = context.act(asked).await;
                    Acted::ListChangeAsked { address, change, answer }
                }
                Act::Undo { which } => {
                    let undone = async { desk.undo(&actor, which, None).await.map(drop) };
                    Acted::Undone { which, answer: context.act(undone).await }
                }
            };
            context.close(Msg::Acted(acted));
            context.acted();
        };
        // What could break in it answers by itself.
        self.acts.spawn(contained_async(act));
    }
}
